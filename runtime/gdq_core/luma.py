"""Luma: the brightness by which super-resolution is judged."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LUMA_WEIGHTS = (65.738 / 256, 129.057 / 256, 25.064 / 256)
"""Of red, green and blue: ITU-R BT.601 in the studio range, for samples of 0..255."""


def luma(image: NDArray[np.uint8] | NDArray[np.floating]) -> NDArray[np.float64]:
    """Return luma (Y of YCbCr, 16..235 for 8-bit input) as super-resolution papers measure it.

    Y = 16 + (65.738 R + 129.057 G + 25.064 B) / 256, ITU-R BT.601 in the studio range.

    Args:
        image: (height, width, 3), RGB, 0..255.

    Returns:
        (height, width), not rounded.

    """
    levels: NDArray[np.float64] = np.asarray(image, np.float64) @ np.array(LUMA_WEIGHTS) + 16
    return levels
