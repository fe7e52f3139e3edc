"""How the luma of a tile changes from pixel to pixel: cheap signs of what a tile needs."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gdq_runtime.metrics import luma

_SPARSITY_FLOOR = 0.05
"""Gray levels added to the mean gradient: a tile of one colour has a sparsity of 0, not 0 / 0."""


def mean_gradient(tile: NDArray[np.uint8]) -> float:
    """Return how much luma changes from a pixel to its neighbour, in gray levels.

    ``(mean |Y(x + 1) - Y(x)| + mean |Y(y + 1) - Y(y)|) / 2`` over the whole tile, Y as in
    ``metrics.luma``: 0 for one colour, 1 to 2 for sky, above 10 for foliage.

    Args:
        tile: (height, width, 3), RGB, at least 2 pixels each way.

    """
    across, down = _differences(tile)
    return float(np.abs(across).mean() + np.abs(down).mean()) / 2


def gradient_sparsity(tile: NDArray[np.uint8]) -> float:
    """Return how much the gradient is gathered in few places, without unit.

    Root mean square of the differences of neighbouring luma over their mean magnitude (plus 0.05
    gray levels): about 1.3 for noise and foliage, above 3 for sharp edges on smooth ground. There,
    a network errs little, and the noise of few bits weighs most (docs/accuracy.md).

    Args:
        tile: (height, width, 3), RGB, at least 2 pixels each way.

    """
    across, down = _differences(tile)
    square = float(np.square(across).mean() + np.square(down).mean()) / 2
    magnitude = float(np.abs(across).mean() + np.abs(down).mean()) / 2
    return math.sqrt(square) / (magnitude + _SPARSITY_FLOOR)


def _differences(tile: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    levels = luma(tile)
    return np.diff(levels, axis=1), np.diff(levels, axis=0)
