"""The route without a network: what is flat enough is interpolated."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from gdq_runtime.metrics import luma


def mean_gradient(tile: NDArray[np.uint8]) -> float:
    """Return how much luma changes from a pixel to its neighbour, in gray levels.

    ``(mean |Y(x + 1) - Y(x)| + mean |Y(y + 1) - Y(y)|) / 2`` over the whole tile, Y as in
    ``metrics.luma``: 0 for one colour, 1 to 2 for sky, above 10 for foliage.

    Args:
        tile: (height, width, 3), RGB, at least 2 pixels each way.

    """
    levels = luma(tile)
    across, down = np.abs(np.diff(levels, axis=1)), np.abs(np.diff(levels, axis=0))
    return float(across.mean() + down.mean()) / 2


def interpolate(tile: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """Upscale a (height, width, 3) tile by cubic interpolation.

    The tile's own border is repeated outwards, which the cut in the middle of the overlap hides:
    cubic interpolation looks two pixels far.
    """
    size = (tile.shape[1] * scale, tile.shape[0] * scale)
    return np.asarray(cv2.resize(tile, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
