"""Low-resolution images as the benchmarks have them: to the last bit those of Set5 and Set14."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

_MARGIN = 2
"""Reach of the cubic kernel, in low-resolution pixels."""


def crop_to_multiple(image: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Returns (height, width, channels) without the last rows and columns that do not fit."""
    height, width = (side - side % factor for side in image.shape[:2])
    return image[:height, :width]


def downscale(image: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """Reduces an image by antialiased bicubic interpolation, as MATLAB's ``imresize`` did.

    The kernel (a = -0.5, widened by the scale) is torch's own. Found on the published pairs of
    Set5 and Set14, x2 and x4, every sample of which is met: borders are repeated, rows are
    reduced before columns, and both times the result is rounded to 8 bits, halves upwards. With
    one rounding at the end, one sample in seven is off by one.

    Args:
        image: (height, width, channels); both sides multiples of the scale.
        scale: whole number of at least 1.

    Returns:
        (height / scale, width / scale, channels).
    """
    margin = _MARGIN * scale
    padded = np.pad(image, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
    planes = torch.from_numpy(padded).permute(2, 0, 1)[None].float()
    height, width = (side // scale for side in padded.shape[:2])
    planes = _interpolate(planes, (height, padded.shape[1]))
    planes = _interpolate(planes, (height, width))
    inner = planes[0, :, _MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    result: NDArray[np.uint8] = inner.permute(1, 2, 0).to(torch.uint8).contiguous().numpy()
    return result


def _interpolate(planes: Tensor, size: tuple[int, int]) -> Tensor:
    reduced = F.interpolate(planes, size, mode="bicubic", antialias=True)
    return (reduced + 0.5).floor().clamp(0, 255)
