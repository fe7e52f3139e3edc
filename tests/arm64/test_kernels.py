"""The engine's kernels on ARM64, on every processor, against 64-bit integers and plain code."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from arm64.kernels import BIT_WIDTHS, SIZES, case_name, draw
from engine.algorithms import KERNELS, outputs, pad_codes, products
from gdq_devices.emulated.machine import CPUS, FOLDER, Machine

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).with_name("kernels.py")
LONGEST_RUN = 300.0
"""Seconds after which a processor counts as hung."""

INSTRUCTION_SETS = {
    "cortex-a53": {"i8mm": False, "dotprod": False, "neon": True, "scalar": True},
    "cortex-a76": {"i8mm": False, "dotprod": True, "neon": True, "scalar": True},
    "cortex-a710": {"i8mm": True, "dotprod": True, "neon": True, "scalar": True},
}
"""Those of the library, best first, and whether the processor must have them."""
FLOAT_TRANSFORM = "f44_int16"
"""Its output transform works in float; all others compute in integers to the end."""
KERNELS_OF = {
    "i8mm": tuple(KERNELS),
    "dotprod": tuple(KERNELS),
    "neon": (FLOAT_TRANSFORM,),
    "scalar": tuple(KERNELS),
}
LARGEST_BITS = {"direct_int8": 8, "f22_int8": 6, "k42_int8": 5, "k44_int8": 4, FLOAT_TRANSFORM: 8}
ROUNDING = 16 * 2.0**-24
"""Each of at most 16 roundings (to float, two products with constants, sums of six) is at most
2^-24 of what is summed."""

pytestmark = pytest.mark.timeout(2 * LONGEST_RUN)
on_each_cpu = pytest.mark.parametrize("cpu", CPUS)

Answer = dict[str, NDArray[Any]]
Size = tuple[int, int, int, int]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answer]:
    """Processor -> what its kernels computed."""
    machine, folder = Machine(FOLDER), tmp_path_factory.mktemp("kernels")
    assert machine.test_library.is_file(), "the emulated machine is not set up: say make test-arm64"
    come = {}
    for cpu in CPUS:
        file = folder / f"{cpu}.npz"
        machine.run(
            cpu, PROGRAM, str(machine.test_library), str(file),
            packages=[ROOT / "runtime", ROOT / "tests"], seconds=LONGEST_RUN,
        )  # fmt: skip
        with np.load(file) as stored:
            come[cpu] = dict(stored)
    return come


def cases(kernel: str) -> list[tuple[int, bool, Size]]:
    widths = [bits for bits in BIT_WIDTHS if bits <= LARGEST_BITS[kernel]]
    return list(product(widths, (False, True), SIZES))


@on_each_cpu
def test_the_processor_has_its_instruction_sets(answers: dict[str, Answer], cpu: str) -> None:
    prefix = "available/"
    found = [(key, value) for key, value in answers[cpu].items() if key.startswith(prefix)]
    assert [(key.removeprefix(prefix), bool(value)) for key, value in found] == list(
        INSTRUCTION_SETS[cpu].items()
    )


@on_each_cpu
def test_every_kernel_ran_on_every_instruction_set(answers: dict[str, Answer], cpu: str) -> None:
    expected = {
        f"{instruction_set}/{case_name(kernel, *case)}/sums"
        for instruction_set, is_there in INSTRUCTION_SETS[cpu].items()
        for kernel in KERNELS_OF[instruction_set]
        for case in cases(kernel)
        if is_there
    }
    assert {key for key in answers[cpu] if key.endswith("/sums")} == expected


@pytest.mark.parametrize("kernel", KERNELS)
@on_each_cpu
def test_equals_64_bit_integers(answers: dict[str, Answer], cpu: str, kernel: str) -> None:
    for bits, is_signed, size in cases(kernel):
        case = case_name(kernel, bits, is_signed, size)
        weights = answers[cpu][f"scalar/{case}/weights"]
        expected, bound = compute(kernel, bits, is_signed, size, weights)
        for instruction_set in sets_with(cpu, kernel):
            place = f"{instruction_set}/{case}"
            np.testing.assert_array_equal(answers[cpu][f"{place}/weights"], weights, place)
            error = np.abs(answers[cpu][f"{place}/sums"] - expected)
            assert (error <= bound).all(), place


@pytest.mark.parametrize("kernel", KERNELS)
@on_each_cpu
def test_equals_plain_code(answers: dict[str, Answer], cpu: str, kernel: str) -> None:
    """In every bit where all is integers; the float transform may multiply and add at once."""
    for bits, is_signed, size in cases(kernel):
        case = case_name(kernel, bits, is_signed, size)
        plain = answers[cpu][f"scalar/{case}/sums"]
        bound: NDArray[np.float64] | float = 0.0
        if kernel == FLOAT_TRANSFORM:
            weights = answers[cpu][f"scalar/{case}/weights"]
            bound = 2 * compute(kernel, bits, is_signed, size, weights)[1]
        for instruction_set in sets_with(cpu, kernel):
            place = f"{instruction_set}/{case}"
            assert (np.abs(answers[cpu][f"{place}/sums"] - plain) <= bound).all(), place


def test_all_processors_compute_the_same(answers: dict[str, Answer]) -> None:
    first, *others = (answers[cpu] for cpu in CPUS)
    for other in others:
        for key in first.keys() & other.keys():
            if not key.startswith("available/"):
                np.testing.assert_array_equal(other[key], first[key], key)


def sets_with(cpu: str, kernel: str) -> list[str]:
    there = INSTRUCTION_SETS[cpu].items()
    return [name for name, is_there in there if is_there and kernel in KERNELS_OF[name]]


def compute(
    kernel: str, bits: int, is_signed: bool, size: Size, weights: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sums in 64-bit integers, and how far float may be away: nothing where all is integers."""
    codes, _ = draw(bits, is_signed, size)
    centre = 0 if is_signed else 1 << (bits - 1)
    height, width = size[:2]
    integers = products(kernel, pad_codes(kernel, codes - centre, -centre), weights)
    constant = centre * ones(kernel, weights)
    centred = outputs(kernel, integers)[:height, :width]
    sums = centred + constant
    if kernel != FLOAT_TRANSFORM:
        # Float holds integers up to here exactly.
        assert max(np.abs(each).max() for each in (centred, constant, sums)) < 2**24
        return sums, np.zeros(())
    down, across = KERNELS[kernel]
    magnitude = np.einsum(
        "yi,xj,abijo->aybxo", np.abs(down.outputs), np.abs(across.outputs), np.abs(integers)
    )
    a, y, b, x, out = magnitude.shape
    summed = magnitude.reshape(a * y, b * x, out)[:height, :width] + np.abs(constant)
    return sums, ROUNDING * summed


def ones(kernel: str, weights: NDArray[np.int32]) -> NDArray[np.float64]:
    """(out): sums where all codes are one and no border is near."""
    down, across = KERNELS[kernel]
    shape = (down.data.shape[1], across.data.shape[1], weights.shape[2])
    sums: NDArray[np.float64] = outputs(
        kernel, products(kernel, np.ones(shape, np.int64), weights)
    )[0, 0]
    return sums
