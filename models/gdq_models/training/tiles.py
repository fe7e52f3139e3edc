"""Cut photos into tiles of the deployed size, for fitting and measuring."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def cut_tiles(image: NDArray[np.uint8], side: int) -> Tensor:
    """Return adjacent whole tiles (N, 3, side, side), float of 0..255, row by row.

    Args:
        image: (height, width, 3).
        side: side of a tile in pixels; a remainder at the right and the bottom is dropped.
    """
    rows, columns = (length // side for length in image.shape[:2])
    whole = torch.from_numpy(image[: rows * side, : columns * side].copy())
    tiles = whole.view(rows, side, columns, side, 3).permute(0, 2, 4, 1, 3)
    return tiles.reshape(-1, 3, side, side).float()
