"""Bicubic resampling as MATLAB's ``imresize`` does it: how test sets and baselines are made.

Keys' kernel with a = -0.5, widened by the factor when a picture is made smaller (antialiasing),
pixel centres at half coordinates, borders repeated, weights normalised. OpenCV's cubic has
a = -0.75 and no antialiasing; PSNR of published tables refers to the one here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def resize_bicubic(image: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Resize a (height, width, channels) picture; rows first, rounded in between, as there."""
    planes = image.transpose(2, 0, 1).astype(np.float64)
    lower = _round(_weights(image.shape[0], height) @ planes)
    resized = _round(lower @ _weights(image.shape[1], width).T)
    return np.ascontiguousarray(resized.transpose(1, 2, 0).astype(np.uint8))


def _weights(length: int, target: int) -> NDArray[np.float64]:
    """Return the (target, length) matrix that resamples one axis."""
    factor = target / length
    stretch = max(1.0, 1 / factor)
    centres = (np.arange(target) + 0.5) / factor - 0.5
    taps = np.arange(-int(np.ceil(2 * stretch)), int(np.ceil(2 * stretch)) + 1)
    positions = np.floor(centres)[:, np.newaxis].astype(int) + taps
    weights = _keys((centres[:, np.newaxis] - positions) / stretch)
    weights /= weights.sum(axis=1, keepdims=True)
    matrix = np.zeros((target, length))
    rows = np.broadcast_to(np.arange(target)[:, np.newaxis], positions.shape)
    np.add.at(matrix, (rows, np.clip(positions, 0, length - 1)), weights)
    return matrix


def _keys(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys' cubic convolution kernel with a = -0.5 (Keys 1981, equation 15)."""
    x = np.abs(x)
    inner = (1.5 * x - 2.5) * x**2 + 1
    outer = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, inner, np.where(x <= 2, outer, 0.0))


def _round(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round to 8 bits, halves up as MATLAB does."""
    return np.clip(np.floor(values + 0.5), 0, 255)
