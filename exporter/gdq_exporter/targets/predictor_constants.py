"""Arrays in the predictor's graphs of every format: algebra done once, in float64."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gdq_core.sensitivity.statistics import LOG_STEPS
from gdq_models.predictor.entropy import BINS, KERNEL_SIGMA, LUMA_WEIGHTS
from gdq_models.predictor.parameters import PredictorParameters

Array = NDArray[np.float64]

BLOCK = 4
"""Side of the smallest square that holds whole pixels of all three granularities."""
GRANULARITIES = (1, 2, 4)
"""Side of the square of pixels averaged for Z1, Z2 and Z3."""

STRIPS = 4
"""Number of strips in which the entropy reads pixels, so that their distances fit the cache."""


SMALLEST_SHARE = 1e-30
"""Of a bin with no pixel near it, which adds 0 to the entropy, not 0 * log 0."""

_KERNEL_WIDTH = np.sqrt(2) * KERNEL_SIGMA
"""The unit of luma in the entropy, so that a kernel's exponent is minus a distance squared."""


def luma_weights() -> Array:
    """Return (3,): from RGB of 0..255 to luma in widths of the entropy's kernel."""
    weights: Array = np.array(LUMA_WEIGHTS) / (255 * _KERNEL_WIDTH)
    return weights


def luma_bins() -> Array:
    """Return (32,): where the entropy looks at the density, in widths of its kernel."""
    bins: Array = np.linspace(0, 1, BINS) / _KERNEL_WIDTH
    return bins


LARGEST_EXACT = (1 << 24) - 1
"""Whole number up to which float32 has all of them."""


def log_thresholds(largest: int) -> Array:
    """Whole numbers up to ``largest`` at which ``statistics.logarithm`` rises by one."""
    return np.array([step - 1 for step in LOG_STEPS if step - 1 <= largest], np.float64)


def linear_gate(parameters: PredictorParameters) -> tuple[Array, Array]:
    """Merge gate and head into one map of the mean patch: weight (3, k k 3) and bias (3,).

    A patch is (kernel rows, kernel columns, RGB). The three granularities have the same mean.
    """
    channels = parameters.head_weight.shape[0]
    gate = parameters.gate_weight.reshape(3, 3, channels).sum(axis=1)
    weight = np.einsum("oc,cruv->ouvr", gate, parameters.head_weight)
    return weight.reshape(3, -1), gate @ parameters.head_bias + parameters.gate_bias


def head_rows(parameters: PredictorParameters) -> Array:
    """Return the head's weights (C, k k 3), in the order of a patch."""
    weight = parameters.head_weight
    return weight.transpose(0, 2, 3, 1).reshape(len(weight), -1)


def group_squares(parameters: PredictorParameters) -> Array:
    """Return (groups, (k k 3)^2): what makes a covariance of patches a group's mean variance."""
    assert parameters.groups is not None
    heads = head_rows(parameters)
    grouped = heads.reshape(parameters.groups, -1, heads.shape[1])
    squares: Array = np.einsum("gci,gcj->gij", grouped, grouped) / grouped.shape[1]
    return squares.reshape(parameters.groups, -1)


def group_members(parameters: PredictorParameters) -> Array:
    """Return (groups, C) zeros and ones: which channels belong to a group."""
    assert parameters.groups is not None
    channels = len(parameters.head_bias)
    return np.repeat(np.eye(parameters.groups), channels // parameters.groups, axis=1)


def group_average(parameters: PredictorParameters) -> Array:
    """Return (C, groups): averages over the channels of a group."""
    members = group_members(parameters)
    average: Array = members.T / members.sum(axis=1)
    return average


def block_side(kernel: int) -> int:
    """Return the side of the patch that a block's features come from."""
    return BLOCK + kernel - 1


def tap_means(kernel: int) -> Array:
    """Return (S S 3, k k 3): what makes a block's mean patch that of the head conv; S is its side.

    A patch is (rows, columns, RGB). The three granularities have the same mean.
    """
    side = block_side(kernel)
    axis = np.mean([_taps(kernel, side, start, 1) for start in range(BLOCK)], axis=0)
    means: Array = np.einsum("au,bv,cd->uvcabd", axis, axis, np.eye(3))
    return means.reshape(side * side * 3, -1)


def colour_means(kernel: int) -> Array:
    """Return (3, S S 3): the tile's mean colour from the mean of its blocks' patches.

    The block itself, without the pixels around it, sees every pixel of the tile once.
    """
    side, before = block_side(kernel), kernel // 2
    inside = np.zeros((side, side))
    inside[before : before + BLOCK, before : before + BLOCK] = 1 / BLOCK**2
    means: Array = np.einsum("s,cd->csd", inside.ravel(), np.eye(3))
    return means.reshape(3, -1)


def one_colour(kernel: int) -> Array:
    """Return (S S 3, 3): a block's patch that is one colour throughout, from that colour."""
    return np.tile(np.eye(3), (block_side(kernel) ** 2, 1))


def tap_products(kernel: int) -> Array:
    """Return (3, k^2, S^2): along an axis, products of two taps from products of block pixels.

    For each granularity it is the mean over where its squares start within the block.
    """
    side = block_side(kernel)
    products: Array = np.zeros((len(GRANULARITIES), kernel, kernel, side, side))
    for scale, square in enumerate(GRANULARITIES):
        for start in range(0, BLOCK, square):
            taps = _taps(kernel, side, start, square)
            products[scale] += square / BLOCK * np.einsum("au,bv->abuv", taps, taps)
    return products.reshape(len(GRANULARITIES), kernel**2, side**2)


def group_squares_by_axis(parameters: PredictorParameters, axes: tuple[int, ...]) -> Array:
    """Return ``group_squares`` for moments whose axes (row, column, RGB, twice) are permuted."""
    kernel = parameters.head_weight.shape[-1]
    squares = group_squares(parameters).reshape(-1, kernel, kernel, 3, kernel, kernel, 3)
    return squares.transpose(0, *(axis + 1 for axis in axes)).reshape(len(squares), -1)


def _taps(kernel: int, side: int, start: int, square: int) -> Array:
    """Return (k, S): the mean of ``square`` pixels that each tap sees from ``start``."""
    taps = np.zeros((kernel, side))
    for tap in range(kernel):
        taps[tap, start + tap : start + tap + square] = 1 / square
    return taps
