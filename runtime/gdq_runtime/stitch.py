"""Puts upscaled tiles together to rows of output, one band after the other."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from gdq_runtime.bands import ALPHA_CONTEXT, Band
from gdq_runtime.picture import Rows, join_alpha
from gdq_runtime.tiling import Span, TilePlan


class BandStitcher:
    """Collects the tiles of one band; memory depends on the picture's width alone."""

    def __init__(self, plan: TilePlan, band: Band, scale: int) -> None:
        """Reserve the rows that the band owns, at ``scale`` times their size."""
        self._band = band
        self._scale = scale
        height = band.row.own_stop - band.row.own_start
        self._colour = np.empty((height * scale, plan.width * scale, 3), dtype=np.uint8)

    def place(self, column: Span, tile: NDArray[np.uint8]) -> None:
        """Take from an upscaled tile what it owns.

        Args:
            column: horizontal place of the tile.
            tile: (height * scale, width * scale, 3), RGB, as the engine gave it.

        """
        row, scale = self._band.row, self._scale
        left, right = column.own_start * scale, column.own_stop * scale
        top = (row.own_start - row.start) * scale
        bottom = (row.own_stop - row.start) * scale
        shift = column.start * scale
        self._colour[:, left:right] = tile[top:bottom, left - shift : right - shift]

    def finish(self, channels: int) -> Rows:
        """Return the rows with as many channels as the picture has."""
        alpha = self._band.alpha
        if alpha is not None:
            alpha = upscale_alpha(alpha, self._band.row, self._scale)
        return join_alpha(self._colour, alpha, channels)


def upscale_alpha(alpha: NDArray[np.uint8], row: Span, scale: int) -> NDArray[np.uint8]:
    """Upscale the alpha of a band by cubic interpolation; the network is for colours.

    Args:
        alpha: (rows, width), the band's own rows and their context.
        row: the band.
        scale: upscaling factor.

    Returns:
        (own rows * scale, width * scale), the same as if the picture had been scaled whole.

    """
    size = (alpha.shape[1] * scale, alpha.shape[0] * scale)
    larger = cv2.resize(alpha, size, interpolation=cv2.INTER_CUBIC)
    above = min(row.own_start, ALPHA_CONTEXT) * scale
    own = larger[above:][: (row.own_stop - row.own_start) * scale]
    return np.asarray(own, dtype=np.uint8)
