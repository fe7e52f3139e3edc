"""Runs on the emulated machine: every kernel of the engine on every instruction set that is there.

``python kernels.py LIBRARY ANSWER`` writes what they compute to an .npz file. It judges nothing, so
that what runs here is small.
"""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.kernel_interface import KernelLibrary

BIT_WIDTHS = (4, 5, 6, 8)
SIZES = ((9, 10, 16, 16), (6, 13, 32, 48), (5, 99, 16, 32))
"""Height, width, input and output channels: no multiples of a tile, and more tiles in a row than
are computed together."""

Sums = NDArray[np.float32]
Weights = NDArray[np.int32]


def draw(
    bits: int, is_signed: bool, size: tuple[int, int, int, int]
) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
    """The same random codes (height, width, in) and weights (out, in, 3, 3) on every machine."""
    height, width, inputs, outputs = size
    random = np.random.default_rng(bits)
    low = -(1 << (bits - 1)) if is_signed else 0
    codes = random.integers(low, low + (1 << bits), (height, width, inputs)).astype(np.int16)
    return codes, random.normal(size=(outputs, inputs, 3, 3)).astype(np.float32)


def case_name(kernel: str, bits: int, is_signed: bool, size: tuple[int, int, int, int]) -> str:
    """Name of a case in the answer, behind the instruction set's."""
    sign = "signed" if is_signed else "unsigned"
    return f"{kernel}/{bits}/{sign}/{'x'.join(map(str, size))}"


def run_kernels(library: KernelLibrary) -> dict[str, Sums | Weights]:
    """Sums and transformed weights of all cases: "instruction set/case/sums" and ".../weights"."""
    answer: dict[str, Sums | Weights] = {}
    names = [name for name, is_there in library.instruction_sets().items() if is_there]
    for name, kernel in product(names, library.kernels()):
        if not library.has_kernel(name, kernel.name):
            continue
        widths = [bits for bits in BIT_WIDTHS if bits <= kernel.largest_bits]
        for bits, is_signed, size in product(widths, (False, True), SIZES):
            case = f"{name}/{case_name(kernel.name, bits, is_signed, size)}"
            made = library.convolve(name, kernel, bits, is_signed, *draw(bits, is_signed, size))
            answer[f"{case}/sums"], answer[f"{case}/weights"] = made.sums, made.transformed
    return answer


if __name__ == "__main__":
    there = KernelLibrary(Path(sys.argv[1]))
    sets = there.instruction_sets()
    answers: dict[str, Any] = {
        f"available/{name}": np.array(is_there) for name, is_there in sets.items()
    }
    np.savez(sys.argv[2], **(answers | run_kernels(there)))
