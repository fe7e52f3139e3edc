"""Runs on the emulated machine: every kernel of the engine on every instruction set that is there.

``python kernels.py LIBRARY ANSWER`` writes what they compute to an .npz file. It judges nothing, so
that what runs here is small.
"""

from __future__ import annotations

import sys
from ctypes import POINTER, byref, c_float, c_int16, c_int32
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdq_runtime.engines.native_library import KernelInfo, NativeLibrary

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


def run_kernels(library: NativeLibrary) -> dict[str, Sums | Weights]:
    """Sums and transformed weights of all cases: "instruction set/case/sums" and ".../weights"."""
    answer: dict[str, Sums | Weights] = {}
    names = [name for name, is_there in library.instruction_sets().items() if is_there]
    for name, kernel in product(names, _kernels(library)):
        if not library.functions.gdq_kernel_available(name.encode(), kernel.name):
            continue
        widths = [bits for bits in BIT_WIDTHS if bits <= kernel.largest_bits]
        for bits, is_signed, size in product(widths, (False, True), SIZES):
            case = f"{name}/{case_name(kernel.name.decode(), bits, is_signed, size)}"
            sums, weights = _run(library, name, kernel, bits, is_signed, size)
            answer[f"{case}/sums"], answer[f"{case}/weights"] = sums, weights
    return answer


def _kernels(library: NativeLibrary) -> list[KernelInfo]:
    infos = [KernelInfo() for _ in range(library.functions.gdq_kernel_count())]
    for index, info in enumerate(infos):
        assert library.functions.gdq_kernel_describe(index, byref(info)) == 0
    return infos


def _run(
    library: NativeLibrary, instruction_set: str, kernel: KernelInfo, bits: int, is_signed: bool,
    size: tuple[int, int, int, int],
) -> tuple[Sums, Weights]:  # fmt: skip
    codes, weights = draw(bits, is_signed, size)
    height, width, inputs, outputs = size
    sums = np.full((height, width, outputs), np.nan, np.float32)
    transformed = np.zeros((kernel.products, outputs, inputs), np.int32)
    scales = np.zeros(outputs, np.float32)
    status = library.functions.gdq_kernel_run(
        instruction_set.encode(), kernel.name, bits, is_signed, *size,
        codes.ctypes.data_as(POINTER(c_int16)), weights.ctypes.data_as(POINTER(c_float)),
        sums.ctypes.data_as(POINTER(c_float)), transformed.ctypes.data_as(POINTER(c_int32)),
        scales.ctypes.data_as(POINTER(c_float)), 1,
    )  # fmt: skip
    assert status == 0, library.last_error()
    return sums, transformed


if __name__ == "__main__":
    there = NativeLibrary(Path(sys.argv[1]))
    sets = there.instruction_sets()
    answers: dict[str, Any] = {
        f"available/{name}": np.array(is_there) for name, is_there in sets.items()
    }
    np.savez(sys.argv[2], **(answers | run_kernels(there)))
