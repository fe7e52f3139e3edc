"""How the luma of a tile changes from pixel to pixel: a cheap sign of what needs no network."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gdq_core.luma import luma


def mean_gradient(tile: NDArray[np.uint8]) -> float:
    """Return how much luma changes from a pixel to its neighbour, in gray levels.

    ``(mean |Y(x + 1) - Y(x)| + mean |Y(y + 1) - Y(y)|) / 2`` over the whole tile, Y as in
    ``gdq_core.luma``: 0 for one colour, 1 to 2 for sky, above 10 for foliage.

    Args:
        tile: (height, width, 3), RGB, at least 2 pixels each way.

    """
    levels = luma(tile)
    across, down = np.diff(levels, axis=1), np.diff(levels, axis=0)
    return float(np.abs(across).mean() + np.abs(down).mean()) / 2
