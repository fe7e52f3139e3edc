"""The integer kernels on every instruction set, against 64-bit integers."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.algorithms import KERNELS, direct_convolution, outputs, pad_codes, products
from engine.kernel_interface import Convolved, Kernel
from engine.library import convolve, has_kernel, instruction_sets, kernels

FLOAT_TRANSFORM = "f44_int16"
"""Its output transform works in float; all others compute in integers to the end."""

# Each of at most 16 roundings (to float, two products with constants, sums of six) is at most 2^-24
# of what is summed.
ROUNDING = 16 * 2.0**-24

LEAST_SNR = {8: 33.0, 16: 55.0}
"""Bits of the transformed weights -> decibels against float64, normally distributed weights."""

cases = [
    pytest.param(name, kernel, id=f"{kernel.name}-{name}")
    for name in instruction_sets()
    for kernel in kernels()
    if has_kernel(name, kernel.name)
]
on_each = pytest.mark.parametrize(("instruction_set", "kernel"), cases)

# Machines that are busy take long, and each test runs for every kernel and instruction set.
few = settings(max_examples=20)
channels = st.integers(1, 6).map(lambda groups: 16 * groups)
seeds = st.integers(0, 2**32 - 1)


def limits(bits: int, is_signed: bool) -> tuple[int, int]:
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if is_signed else (0, (1 << bits) - 1)


def check(
    kernel: Kernel, bits: int, is_signed: bool, codes: NDArray[np.int16], made: Convolved
) -> None:
    """Compares with what the integer weights that were used give in 64-bit integers."""
    centre = 0 if is_signed else 1 << (bits - 1)
    sums = products(kernel.name, pad_codes(kernel.name, codes - centre, -centre), made.transformed)
    assert np.abs(sums).max() < 2**31
    height, width, _ = codes.shape
    expected = outputs(kernel.name, sums)[:height, :width]
    constant = centre * ones(kernel, made.transformed)
    if kernel.name == FLOAT_TRANSFORM:
        down, across = KERNELS[kernel.name]
        magnitude = np.einsum(
            "yi,xj,abijo->aybxo", np.abs(down.outputs), np.abs(across.outputs), np.abs(sums)
        )
        a, y, b, x, out = magnitude.shape
        magnitude = magnitude.reshape(a * y, b * x, out)[:height, :width] + np.abs(constant)
        assert (np.abs(made.sums - (expected + constant)) <= ROUNDING * magnitude).all()
    else:
        assert np.abs(expected).max() < 2**31
        # The sum is an exact integer; two numbers are rounded to float, and added.
        np.testing.assert_array_equal(
            made.sums, expected.astype(np.float32) + constant.astype(np.float32)
        )


def ones(kernel: Kernel, transformed: NDArray[np.int32]) -> NDArray[np.float64]:
    """(out): sums where all codes are one and no border is near."""
    down, across = KERNELS[kernel.name]
    shape = (down.data.shape[1], across.data.shape[1], transformed.shape[2])
    sums = products(kernel.name, np.ones(shape, np.int64), transformed)
    inside: NDArray[np.float64] = outputs(kernel.name, sums)[0, 0]
    return inside


@on_each
@few
@given(data=st.data())
def test_equals_64_bit_integers(instruction_set: str, kernel: Kernel, data: st.DataObject) -> None:
    bits = data.draw(st.integers(2, kernel.largest_bits), "bits")
    is_signed = data.draw(st.booleans(), "is signed")
    height, width = data.draw(st.tuples(st.integers(1, 21), st.integers(1, 21)), "size")
    inputs, out = data.draw(st.tuples(channels, channels), "channels")
    random = np.random.default_rng(data.draw(seeds, "seed"))
    low, high = limits(bits, is_signed)
    codes = random.integers(low, high + 1, (height, width, inputs)).astype(np.int16)
    weights = random.normal(size=(out, inputs, 3, 3)).astype(np.float32)
    made = convolve(instruction_set, kernel, bits, is_signed, codes, weights)
    check(kernel, bits, is_signed, codes, made)


@on_each
@pytest.mark.parametrize("width", [23, 24, 25, 47, 49, 95, 97, 100, 190, 195])
def test_any_number_of_tiles_in_a_row(instruction_set: str, kernel: Kernel, width: int) -> None:
    """They are computed 24 at a time, and in multiples of 8."""
    random = np.random.default_rng(width)
    codes = random.integers(0, 1 << kernel.largest_bits, (5, width, 16)).astype(np.int16)
    weights = random.normal(size=(48, 16, 3, 3)).astype(np.float32)
    made = convolve(instruction_set, kernel, kernel.largest_bits, False, codes, weights)
    check(kernel, kernel.largest_bits, False, codes, made)


@on_each
@pytest.mark.parametrize("is_signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("inputs", [16, 96, 1024])
def test_the_worst_data_at_each_point(
    instruction_set: str, kernel: Kernel, is_signed: bool, inputs: int
) -> None:
    """Data that makes a point of the transform as large as it can be, and weights that do too."""
    down, across = KERNELS[kernel.name]
    low, high = limits(kernel.largest_bits, is_signed)
    for i, j in product(range(len(down.data)), range(len(across.data))):
        if inputs == 1024 and i != j:
            continue  # these take long
        point = np.outer(down.data[i], across.data[j])
        tap = np.outer(down.weights[i], across.weights[j])
        weights = np.sign(tap + 1e-9)[None, None] * np.ones((16, inputs, 1, 1))
        weights[8:] *= -1
        for sign in (1, -1):
            codes = np.full((3 * kernel.rows, 3 * kernel.columns, inputs), low, np.int16)
            worst = np.where(sign * point > 0, high, low)[:, :, None]
            codes[kernel.rows - 1 :, kernel.columns - 1 :][: len(worst), : worst.shape[1]] = worst
            made = convolve(
                instruction_set, kernel, kernel.largest_bits, is_signed, codes,
                weights.astype(np.float32),
            )  # fmt: skip
            check(kernel, kernel.largest_bits, is_signed, codes, made)


@on_each
@pytest.mark.parametrize("is_signed", [False, True], ids=["unsigned", "signed"])
def test_constant_maps_and_checkerboards(
    instruction_set: str, kernel: Kernel, is_signed: bool
) -> None:
    random = np.random.default_rng(0)
    weights = random.normal(size=(32, 32, 3, 3)).astype(np.float32)
    for bits in range(2, kernel.largest_bits + 1):
        low, high = limits(bits, is_signed)
        y, x, c = np.indices((9, 11, 32))
        for chosen in (
            y < 0,
            y >= 0,
            (y + x) % 2 == 0,
            (y + x + c) % 2 == 0,
            y % 2 == 0,
            x % 2 == 0,
        ):
            codes = np.where(chosen, high, low).astype(np.int16)
            made = convolve(instruction_set, kernel, bits, is_signed, codes, weights)
            check(kernel, bits, is_signed, codes, made)


@on_each
@settings(few, derandomize=True)
@given(data=st.data())
def test_is_close_to_the_real_convolution(
    instruction_set: str, kernel: Kernel, data: st.DataObject
) -> None:
    bits = data.draw(st.integers(2, kernel.largest_bits), "bits")
    is_signed = data.draw(st.booleans(), "is signed")
    inputs, out = data.draw(st.tuples(channels, channels), "channels")
    random = np.random.default_rng(data.draw(seeds, "seed"))
    low, high = limits(bits, is_signed)
    codes = random.integers(low, high + 1, (13, 10, inputs)).astype(np.int16)
    weights = random.normal(size=(out, inputs, 3, 3)).astype(np.float32)
    expected = direct_convolution(codes, weights)
    error = convolve(instruction_set, kernel, bits, is_signed, codes, weights).real - expected
    decibels = 10 * np.log10(np.mean(expected**2) / np.mean(error**2))
    assert decibels > LEAST_SNR[kernel.weight_bits]


@on_each
@few
@given(data=st.data())
def test_equals_the_scalar_kernel_bit_for_bit(
    instruction_set: str, kernel: Kernel, data: st.DataObject
) -> None:
    if kernel.name == FLOAT_TRANSFORM:
        pytest.skip("instruction sets round its output transform each in their own way")
    bits = data.draw(st.integers(2, kernel.largest_bits), "bits")
    is_signed = data.draw(st.booleans(), "is signed")
    height, width = data.draw(st.tuples(st.integers(1, 40), st.integers(1, 40)), "size")
    inputs, out = data.draw(st.tuples(channels, channels), "channels")
    random = np.random.default_rng(data.draw(seeds, "seed"))
    low, high = limits(bits, is_signed)
    codes = random.integers(low, high + 1, (height, width, inputs)).astype(np.int16)
    weights = random.normal(size=(out, inputs, 3, 3)).astype(np.float32)
    made = convolve(instruction_set, kernel, bits, is_signed, codes, weights)
    scalar = convolve("scalar", kernel, bits, is_signed, codes, weights)
    np.testing.assert_array_equal(made.sums, scalar.sums)
    np.testing.assert_array_equal(made.transformed, scalar.transformed)
    np.testing.assert_array_equal(made.scales, scalar.scales)
