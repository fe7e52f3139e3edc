"""Figures that only a proof needs: structural similarity, and visibility of seams."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from gdq_core.errors import ImageError
from gdq_core.fidelity import Picture, shaved_luma

_WINDOW, _SIGMA = 11, 1.5


def ssim(
    image: Picture,
    ground_truth: Picture,
    shave: int = 0,
) -> float:
    """Return the structural similarity of the luma, at most 1 (Wang et al. 2004).

    Gaussian window of 11x11 with sigma 1.5, K1 = 0.01, K2 = 0.03, range 255, mean over all
    positions where the window fits: as scikit-image with ``gaussian_weights``, ``sigma=1.5`` and
    ``use_sample_covariance=False``.

    Args:
        image: (height, width, 3), RGB, 0..255.
        ground_truth: of the same shape.
        shave: pixels cropped at each border beforehand.

    Raises:
        ImageError: shapes differ, or the window does not fit.

    """
    first, second = shaved_luma(image, ground_truth, shave)
    if min(first.shape) < _WINDOW:
        size = f"{first.shape[1]}x{first.shape[0]}"
        raise ImageError(f"a window of {_WINDOW} pixels does not fit into {size}")
    mean_1, mean_2 = _window_mean(first), _window_mean(second)
    variances = _window_mean(first**2) - mean_1**2 + _window_mean(second**2) - mean_2**2
    covariance = _window_mean(first * second) - mean_1 * mean_2
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    means = (2 * mean_1 * mean_2 + c1) / (mean_1**2 + mean_2**2 + c1)
    return float(np.mean(means * (2 * covariance + c2) / (variances + c2)))


def seam_ratio(errors: NDArray[np.float64], seam: NDArray[np.bool_]) -> float | None:
    """Return the mean squared error near the borders of tiles over that elsewhere.

    1 means that errors do not reveal where tiles meet. In a single picture, whatever content
    happens to lie at the borders outweighs any seam; divide by the ratio for interpolation, which
    has no tiles, to cancel it.

    Args:
        errors: (height, width), squared errors.
        seam: (height, width), whether a pixel lies near a border between two tiles.

    Returns:
        None if the picture is one tile, or perfect away from the borders.

    """
    if not seam.any() or seam.all():
        return None
    rest = float(errors[~seam].mean())
    return float(errors[seam].mean()) / rest if rest > 0 else None


def _window_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weighted means under the window, where it fits."""
    blurred = cv2.GaussianBlur(values, (_WINDOW, _WINDOW), _SIGMA)
    margin = _WINDOW // 2
    return np.asarray(blurred[margin:-margin, margin:-margin], dtype=np.float64)
