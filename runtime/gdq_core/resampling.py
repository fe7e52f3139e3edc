"""Bicubic resampling as MATLAB's ``imresize`` does it: how test sets and baselines are made.

Keys' kernel with a = -0.5, widened by the factor when a picture is made smaller (antialiasing),
pixel centres at half coordinates, borders repeated, weights normalised; rows before columns, both
times rounded to 8 bits, halves upwards. Every sample of the published pairs of Set5 and Set14 is
met. OpenCV's cubic has a = -0.75 and no antialiasing; torch's knows no rounding in between, and
cuts the kernel off at borders.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""(height, width, channels)."""


def resize_bicubic(image: Picture, height: int, width: int) -> Picture:
    """Resize a (height, width, channels) picture to another height and width."""
    lower = _resample(image, height)
    across = _resample(np.ascontiguousarray(lower.swapaxes(0, 1)), width)
    return np.ascontiguousarray(across.swapaxes(0, 1))


def make_smaller(image: Picture, scale: int) -> Picture:
    """Make the low-resolution picture that a network has to enlarge by ``scale``.

    Args:
        image: (height, width, channels); both sides multiples of the scale.
        scale: whole number of at least 1.

    Returns:
        (height / scale, width / scale, channels).

    """
    height, width = image.shape[:2]
    return resize_bicubic(image, height // scale, width // scale)


def crop_to_multiple(image: Picture, scale: int) -> Picture:
    """Return a picture without the last rows and columns that no low-resolution pixel covers."""
    height, width = (side - side % scale for side in image.shape[:2])
    return image[:height, :width]


def _resample(image: Picture, target: int) -> Picture:
    """Resample the first axis of three to ``target`` places."""
    places, weights = _taps(len(image), target)
    total = np.zeros((target, *image.shape[1:]))
    for place, weight in zip(places, weights, strict=True):
        total += image[place] * weight[:, np.newaxis, np.newaxis]
    return np.clip(np.floor(total + 0.5), 0, 255).astype(np.uint8)


def _taps(length: int, target: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return which of ``length`` samples make up each of ``target``, and by what weights.

    Returns:
        Two arrays (taps, target); taps that weigh nothing anywhere are left out.

    """
    factor = target / length
    stretch = max(1.0, 1 / factor)
    centres = (np.arange(target) + 0.5) / factor - 0.5
    reach = int(np.ceil(2 * stretch))
    places = np.floor(centres).astype(np.intp) + np.arange(-reach, reach + 1)[:, np.newaxis]
    weights = _keys((centres - places) / stretch)
    weights /= weights.sum(axis=0)
    used = weights.any(axis=1)
    return np.clip(places[used], 0, length - 1), weights[used]


def _keys(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys' cubic convolution kernel with a = -0.5 (Keys 1981, equation 15)."""
    x = np.abs(x)
    inner = (1.5 * x - 2.5) * x**2 + 1
    outer = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, inner, np.where(x <= 2, outer, 0.0))
