"""Figures of merit; each docstring names its formula and where it comes from."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from gdq_core.errors import ImageError

_WINDOW, _SIGMA = 11, 1.5


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
    difference = np.subtract(*_shaved_luma(image, ground_truth, shave))
    return psnr_of_error(float(np.mean(difference**2)))


def ssim(
    image: NDArray[np.uint8] | NDArray[np.floating],
    ground_truth: NDArray[np.uint8] | NDArray[np.floating],
    shave: int = 0,
) -> float:
    """Structural similarity of the luma, at most 1 (Wang et al. 2004).

    Gaussian window of 11x11 with sigma 1.5, K1 = 0.01, K2 = 0.03, range 255, mean over all places
    where the window fits: scikit-image's with ``gaussian_weights``, ``sigma=1.5`` and
    ``use_sample_covariance=False``.

    Args:
        image: (height, width, 3), RGB, 0..255.
        ground_truth: of the same shape.
        shave: pixels left out at each border, before the window is laid.

    Raises:
        ImageError: shapes differ, or the window does not fit.

    """
    first, second = _shaved_luma(image, ground_truth, shave)
    if min(first.shape) < _WINDOW:
        size = f"{first.shape[1]}x{first.shape[0]}"
        raise ImageError(f"a window of {_WINDOW} pixels does not fit into {size}")
    mean_1, mean_2 = _window_mean(first), _window_mean(second)
    variances = _window_mean(first**2) - mean_1**2 + _window_mean(second**2) - mean_2**2
    covariance = _window_mean(first * second) - mean_1 * mean_2
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    means = (2 * mean_1 * mean_2 + c1) / (mean_1**2 + mean_2**2 + c1)
    return float(np.mean(means * (2 * covariance + c2) / (variances + c2)))


def squared_error(image: NDArray[np.uint8], ground_truth: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the squared error of the luma, pixel by pixel: (height, width).

    Raises:
        ImageError: shapes differ.

    """
    return np.square(np.subtract(*_shaved_luma(image, ground_truth, 0)))


def psnr_of_error(error: float) -> float:
    """Turn a mean squared error into dB, 255 being the peak; infinite if there is no error."""
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def seam_ratio(errors: NDArray[np.float64], seam: NDArray[np.bool_]) -> float | None:
    """Mean squared error near the borders of tiles over the mean squared error elsewhere.

    1 means that nobody can tell from the errors where tiles meet. Of one picture, what happens to
    lie under the borders weighs more than any seam; divide by the ratio of interpolation, which
    knows no tiles, to take that out.

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


def _shaved_luma(
    image: NDArray[np.uint8] | NDArray[np.floating],
    ground_truth: NDArray[np.uint8] | NDArray[np.floating],
    shave: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if image.shape != ground_truth.shape:
        raise ImageError(f"cannot compare {image.shape} with a ground truth {ground_truth.shape}")
    height, width = image.shape[:2]
    if min(height, width) <= 2 * shave:
        raise ImageError(f"nothing is left of {width}x{height} pixels after shaving {shave}")
    inner = np.s_[shave : height - shave, shave : width - shave]
    return luma(image[inner]), luma(ground_truth[inner])


def _window_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weighted means under the window, where it fits."""
    blurred = cv2.GaussianBlur(values, (_WINDOW, _WINDOW), _SIGMA)
    margin = _WINDOW // 2
    return np.asarray(blurred[margin:-margin, margin:-margin], dtype=np.float64)
