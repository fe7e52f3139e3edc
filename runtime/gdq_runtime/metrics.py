"""Figures of merit; each docstring names its formula and where it comes from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gdq_runtime.errors import ImageError


def luma(image: NDArray[np.uint8] | NDArray[np.floating]) -> NDArray[np.float64]:
    """Luma (Y of YCbCr, 16..235 for 8-bit input) as super-resolution papers measure it.

    Y = 16 + (65.738 R + 129.057 G + 25.064 B) / 256, ITU-R BT.601 in the studio range.

    Args:
        image: (height, width, 3), RGB, 0..255.

    Returns:
        (height, width), not rounded.

    """
    weights = np.array([65.738, 129.057, 25.064]) / 256
    return np.asarray(image, dtype=np.float64) @ weights + 16


def psnr(
    image: NDArray[np.uint8] | NDArray[np.floating],
    ground_truth: NDArray[np.uint8] | NDArray[np.floating],
    shave: int = 0,
) -> float:
    """Peak signal-to-noise ratio of the luma, in dB; infinite if both are equal.

    10 log10(255^2 / mean((Y - Y')^2)), the published protocol with ``shave`` equal to the scale.

    Args:
        image: (height, width, 3), RGB, 0..255.
        ground_truth: of the same shape.
        shave: pixels left out at each border.

    Raises:
        ImageError: shapes differ, or nothing is left after shaving.

    """
    if image.shape != ground_truth.shape:
        raise ImageError(f"cannot compare {image.shape} with a ground truth {ground_truth.shape}")
    height, width = image.shape[:2]
    inner = np.s_[shave : height - shave, shave : width - shave]
    difference = luma(image[inner]) - luma(ground_truth[inner])
    if difference.size == 0:
        raise ImageError(f"nothing is left of {width}x{height} pixels after shaving {shave}")
    error = float(np.mean(difference**2))
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def fab(bit_map: NDArray[np.uint8]) -> float:
    """Feature average bit-width of one image: the plain mean over its tiles.

    As released: each quantized layer of a tile runs at the tile's one width, so the mean over
    layers is that width; edge tiles are not weighted by area. Of a set: the mean over images.

    Args:
        bit_map: (rows, columns), one bit-width per tile.

    """
    return float(np.mean(bit_map, dtype=np.float64))


def count_bit_widths(bit_map: NDArray[np.uint8]) -> dict[int, int]:
    """Count the tiles of each bit-width that occurs, ascending."""
    widths, counts = np.unique(bit_map, return_counts=True)
    return dict(zip(widths.tolist(), counts.tolist(), strict=True))
