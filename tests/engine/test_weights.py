"""Packing of weights: no weights, however unlike, let sums of 32 bits overflow."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.algorithms import KERNELS, Integers, Reals
from engine.kernel_interface import Kernel
from engine.library import convolve, kernels
from engine.test_algorithms import MOST_CHANNELS

by_kernel = pytest.mark.parametrize("kernel", kernels(), ids=lambda kernel: kernel.name)

OUT = 16


def adversaries() -> dict[str, NDArray[np.float32]]:
    """(16, 1024, 3, 3)."""
    random = np.random.default_rng(0)
    shape = (OUT, MOST_CHANNELS, 3, 3)
    one_huge, one_huge_channel = np.full(shape, 1e-6), random.normal(size=shape)
    one_huge[:, 5, 1, 1] = 1e6
    one_huge_channel[:, 0] = 1e9
    half_zero = random.normal(size=shape)
    half_zero[::2] = 0
    found = {
        "all equal": np.ones(shape),
        "all equal and negative": -np.ones(shape),
        "signs": np.sign(random.normal(size=shape)),
        "checkerboard": np.ones(shape) * np.array([[1, -1, 1], [-1, 1, -1], [1, -1, 1]]),
        "normal": random.normal(size=shape),
        "one huge": one_huge,
        "one huge channel": one_huge_channel,
        "tiny": random.normal(size=shape) * 1e-38,
        "denormal": random.normal(size=shape) * 1e-43,
        "largest": np.sign(random.normal(size=shape)) * 3e38,
        "zeros": np.zeros(shape),
        "zeros in every other channel": half_zero,
        "outer products": random.normal(size=(OUT, 1, 1, 1)) * np.outer([1, 2, 4], [1, 2, 4]),
    }
    return {name: np.broadcast_to(w, shape).astype(np.float32) for name, w in found.items()}


@by_kernel
@pytest.mark.parametrize("name", adversaries())
def test_sums_stay_within_32_bits(kernel: Kernel, name: str) -> None:
    weights = adversaries()[name]
    transformed = integers(kernel, weights)
    down, across = KERNELS[kernel.name]
    gains = np.abs(np.kron(down.data, across.data)).sum(1)
    largest = 2.0 ** (kernel.largest_bits - 1) * gains
    sums = np.abs(transformed).sum(axis=2, dtype=np.int64) * largest[:, None]
    assert sums.max() < 2**31
    assert np.abs(transformed).max() < 1 << (kernel.weight_bits - 1)


@by_kernel
@pytest.mark.parametrize("name", adversaries())
def test_scales_give_the_weights_back(kernel: Kernel, name: str) -> None:
    """Within half a step; within one where weights are rounded together; or they are clipped."""
    step, transformed, real = packed(kernel, name)
    together = rounds_together(kernel)
    clipped = np.abs(transformed) == CLIPPED if together else np.zeros(real.shape, bool)
    error = np.abs(transformed * step - real)
    tolerance = ((1 if together else 0.5) + 1e-4 * np.abs(transformed)) * step
    assert (error <= tolerance)[~clipped].all()


@pytest.mark.parametrize(
    "kernel", [k for k in kernels() if k.weight_bits == 8], ids=lambda k: k.name
)
@pytest.mark.parametrize("name", adversaries())
def test_rounding_keeps_the_sum_of_a_product(kernel: Kernel, name: str) -> None:
    """Activations have a mean: errors of one sign would shift all pixels."""
    if not rounds_together(kernel):
        pytest.skip("the learned integers are kept")
    step, transformed, real = packed(kernel, name)
    error = np.abs((transformed * step - real).sum(axis=2))
    rounding = 1e-4 * np.abs(transformed).sum(axis=2)  # of the step, which is float
    within = (np.abs(transformed) < CLIPPED).all(axis=2)
    assert (error <= (0.5 + rounding) * step[:, :, 0])[within].all()


@pytest.mark.parametrize("name", adversaries())
def test_clips_at_most_half(name: str) -> None:
    kernel = next(kernel for kernel in kernels() if kernel.name == "k44_int8")
    step, _, real = packed(kernel, name)
    whole = np.abs(real).max(axis=(0, 2)) / CLIPPED
    assert (step[0, :, 0] <= whole * 1.001)[whole > 0].all()
    assert (step[0, :, 0] >= whole * 0.499)[whole > 0].all()


CLIPPED = 127


def rounds_together(kernel: Kernel) -> bool:
    return kernel.weight_bits == 8 and kernel.name != "direct_int8"


def packed(kernel: Kernel, name: str) -> tuple[Reals, Integers, Reals]:
    """Steps (1, out, 1), integers and the weights they stand for (products, out, in)."""
    if name == "denormal":
        pytest.skip("scales in float have hardly a digit there")
    weights = adversaries()[name]
    codes = np.zeros((1, 1, MOST_CHANNELS), np.int16)
    made = convolve("scalar", kernel, 2, True, codes, weights)
    down, across = KERNELS[kernel.name]
    step = made.scales.astype(np.float64) * down.factor * across.factor
    real = np.einsum("iy,jx,ocyx->ijoc", down.weights, across.weights, weights.astype(np.float64))
    real = real.reshape(kernel.products, OUT, MOST_CHANNELS)
    return step[None, :, None], made.transformed.astype(np.int64), real


@by_kernel
def test_zeros_stay_zeros(kernel: Kernel) -> None:
    made = convolve(
        "scalar", kernel, 2, False,
        np.ones((3, 3, 16), np.int16), np.zeros((16, 16, 3, 3), np.float32),
    )  # fmt: skip
    assert not made.transformed.any()
    assert not made.sums.any()
    assert np.isfinite(made.scales).all()


def integers(kernel: Kernel, weights: NDArray[np.float32]) -> NDArray[np.int32]:
    codes = np.zeros((1, 1, weights.shape[1]), np.int16)
    return convolve("scalar", kernel, 2, True, codes, weights).transformed
