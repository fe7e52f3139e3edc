"""A picture of any size, made of scikit-image's sample photos."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gdq_core.errors import RequestError
from gdq_core.pictures.whole import read_rgb

Picture = NDArray[np.uint8]

_PHOTOS = ("astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg", "motorcycle_left.png")


def mosaic(width: int, height: int) -> Picture:
    """Lay sample photos side by side and one below the other: (height, width, 3) RGB.

    Raises:
        RequestError: scikit-image is not installed.

    """
    return np.concatenate(list(mosaic_rows(width, height)))


def mosaic_rows(width: int, height: int) -> Iterator[Picture]:
    """Yield the rows of a mosaic, as many at once as a photo has."""
    photos = [read_rgb(_folder() / name) for name in _PHOTOS]
    row = min(photo.shape[0] for photo in photos)
    strip = np.concatenate([photo[:row] for photo in photos], axis=1)
    for top in range(0, height, row):
        # Every row of photos is shifted, so that a large picture does not repeat itself.
        shifted = np.roll(strip, -top // 2, axis=1)
        repeated = np.tile(shifted, (1, -(-width // strip.shape[1]), 1))[:, :width]
        yield np.ascontiguousarray(repeated[: min(row, height - top)])


def _folder() -> Path:
    try:
        from skimage import data
    except ImportError as error:
        raise RequestError(
            "the default picture is made of scikit-image's sample photos: "
            "pip install scikit-image, or name pictures (--data DIR)"
        ) from error
    return Path(data.data_dir)
