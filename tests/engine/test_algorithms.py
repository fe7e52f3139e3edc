"""The matrices that the engine is compared with, and what they promise of its integers."""

from __future__ import annotations

import numpy as np
import pytest

from engine.algorithms import F2, F4, K4, KERNELS, Algorithm
from engine.kernel_interface import Kernel
from engine.library import kernels

MOST_CHANNELS = 1024
"""Input channels of a layer, model_file.cpp."""

by_kernel = pytest.mark.parametrize("kernel", kernels(), ids=lambda kernel: kernel.name)


@pytest.mark.parametrize("algorithm", [F2, K4, F4], ids=["F2", "K4", "F4"])
def test_computes_convolutions(algorithm: Algorithm) -> None:
    random = np.random.default_rng(0)
    data, weights = random.normal(size=len(algorithm.data[0])), random.normal(size=3)
    made = algorithm.outputs @ ((algorithm.weights @ weights) * (algorithm.data @ data))
    expected = algorithm.factor * np.correlate(data, weights, "valid")
    np.testing.assert_allclose(made, expected, rtol=1e-12)


@by_kernel
def test_the_engine_describes_the_same_algorithms(kernel: Kernel) -> None:
    down, across = KERNELS[kernel.name]
    assert (kernel.rows, kernel.columns) == (len(down.outputs), len(across.outputs))
    assert kernel.products == len(down.data) * len(across.data)


@by_kernel
def test_transformed_data_fits_up_to_the_largest_bits(kernel: Kernel) -> None:
    lowest, highest = data_range(kernel, kernel.largest_bits)
    limit = 1 << (kernel.weight_bits - 1)
    assert lowest >= -limit
    assert highest < limit


@by_kernel
def test_transformed_data_would_not_fit_one_bit_more(kernel: Kernel) -> None:
    """The claim is not too modest either; codes have eight bits at most."""
    if kernel.largest_bits < 8:
        assert data_range(kernel, kernel.largest_bits + 1)[0] < -(1 << (kernel.weight_bits - 1))


@by_kernel
def test_sums_of_bytes_fit_32_bits(kernel: Kernel) -> None:
    """Sums over all channels, and the output transform of them, at the worst of everything."""
    if kernel.weight_bits != 8:
        pytest.skip("its step keeps the sums small: test_weights.py")
    down, across = KERNELS[kernel.name]
    largest = max(map(abs, data_range(kernel, kernel.largest_bits)))
    sums = MOST_CHANNELS * 127 * largest
    gain = np.abs(down.outputs).sum(1).max() * np.abs(across.outputs).sum(1).max()
    assert sums * gain < 2**31
    # Data of vpdpbusd is taken plus 128 until `start` has taken that out again.
    assert MOST_CHANNELS * 127 * 255 * (9 if kernel.products == 9 else 1) < 2**31


def data_range(kernel: Kernel, bits: int) -> tuple[int, int]:
    """Least and largest of B^T d B for centred codes: each entry is linear in d."""
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    down, across = KERNELS[kernel.name]
    ranges = []
    # All entries, and those between the two transforms.
    for factors in (np.kron(down.data, across.data), down.data):
        raised, lowered = np.maximum(factors, 0).sum(1), np.minimum(factors, 0).sum(1)
        ranges += [raised * low + lowered * high, raised * high + lowered * low]
    return int(np.min(np.concatenate(ranges))), int(np.max(np.concatenate(ranges)))
