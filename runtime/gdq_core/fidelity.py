"""How near a picture comes to the truth, by the luma."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gdq_core.errors import ImageError
from gdq_core.luma import luma

Picture: TypeAlias = NDArray[np.uint8] | NDArray[np.floating]
"""(height, width, 3), RGB, 0..255."""


def psnr(
    image: Picture,
    ground_truth: Picture,
    shave: int = 0,
) -> float:
    """Return the peak signal-to-noise ratio of the luma, in dB; infinite if both are equal.

    10 log10(255^2 / mean((Y - Y')^2)), the published protocol with ``shave`` equal to the scale.

    Args:
        image: (height, width, 3), RGB, 0..255.
        ground_truth: of the same shape.
        shave: pixels left out at each border.

    Raises:
        ImageError: shapes differ, or nothing is left after shaving.

    """
    difference = np.subtract(*shaved_luma(image, ground_truth, shave))
    return psnr_of_error(float(np.mean(difference**2)))


def squared_error(image: Picture, ground_truth: Picture) -> NDArray[np.float64]:
    """Return the squared error of the luma, pixel by pixel: (height, width).

    Raises:
        ImageError: shapes differ.

    """
    return np.square(np.subtract(*shaved_luma(image, ground_truth, 0)))


def psnr_of_error(error: float) -> float:
    """Turn a mean squared error into dB, 255 being the peak; infinite if there is no error."""
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def shaved_luma(
    image: Picture,
    ground_truth: Picture,
    shave: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lumas of two pictures without ``shave`` pixels at each border.

    Raises:
        ImageError: shapes differ, or nothing is left.

    """
    if image.shape != ground_truth.shape:
        raise ImageError(f"cannot compare {image.shape} with a ground truth {ground_truth.shape}")
    height, width = image.shape[:2]
    if min(height, width) <= 2 * shave:
        raise ImageError(f"nothing is left of {width}x{height} pixels after shaving {shave}")
    inner = np.s_[shave : height - shave, shave : width - shave]
    return luma(image[inner]), luma(ground_truth[inner])
