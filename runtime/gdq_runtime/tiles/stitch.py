"""Put upscaled tiles together into rows of output, one band after another."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from gdq_core.pictures.rows import Rows, join_alpha
from gdq_runtime.tiles.bands import ALPHA_CONTEXT, Band
from gdq_runtime.tiles.tiling import Span, TilePlan


class Stitcher:
    """Collect the tiles of one band at a time; memory depends only on the picture's width."""

    def __init__(self, plan: TilePlan, scale: int) -> None:
        """Allocate the rows of the highest band, at ``scale`` times their size."""
        self._scale = scale
        highest = max(row.own_stop - row.own_start for row in plan.rows)
        # One buffer serves all bands; with one for each, two would exist at every change of bands.
        self._buffer = np.empty((highest * scale, plan.width * scale, 3), dtype=np.uint8)

    def place(self, row: Span, column: Span, tile: NDArray[np.uint8]) -> None:
        """Copy the pixels that an upscaled tile owns.

        Args:
            row: vertical position of the tile, which must be in the current band.
            column: horizontal position of the tile.
            tile: (height * scale, width * scale, 3), RGB, as the engine returned it.

        """
        scale = self._scale
        left, right = column.own_start * scale, column.own_stop * scale
        top = (row.own_start - row.start) * scale
        bottom = (row.own_stop - row.start) * scale
        shift = column.start * scale
        owned = tile[top:bottom, left - shift : right - shift]
        self._buffer[: bottom - top, left:right] = owned

    def finish(self, band: Band, channels: int) -> Rows:
        """Return the rows of a band once all of its tiles are placed.

        Returns:
            (own rows * scale, width * scale, channels), valid until the next tile is placed.

        """
        row, scale = band.row, self._scale
        colour = self._buffer[: (row.own_stop - row.own_start) * scale]
        alpha = None if band.alpha is None else upscale_alpha(band.alpha, row, scale)
        return join_alpha(colour, alpha, channels)


def upscale_alpha(alpha: NDArray[np.uint8], row: Span, scale: int) -> NDArray[np.uint8]:
    """Upscale the alpha of a band by cubic interpolation; the network is only for colours.

    Args:
        alpha: (rows, width), the band's own rows and their context.
        row: vertical position of the band.
        scale: upscaling factor.

    Returns:
        (own rows * scale, width * scale), the same as if the whole picture had been upscaled.

    """
    size = (alpha.shape[1] * scale, alpha.shape[0] * scale)
    larger = cv2.resize(alpha, size, interpolation=cv2.INTER_CUBIC)
    above = min(row.own_start, ALPHA_CONTEXT) * scale
    own = larger[above:][: (row.own_stop - row.own_start) * scale]
    return np.asarray(own, dtype=np.uint8)
