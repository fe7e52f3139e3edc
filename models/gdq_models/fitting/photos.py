"""From photos to pairs of low-resolution tiles and their ground truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gdq_core.errors import GdqError
from gdq_core.pictures.folders import find_pictures
from gdq_core.pictures.whole import read_rgb
from gdq_core.resampling import make_smaller

Photo = NDArray[np.uint8]
"""(height, width, 3), RGB."""

_Item = TypeVar("_Item")

_SAMPLES = ("astronaut", "coffee", "chelsea", "rocket")  # these need no download
_LARGEST_SIDE = 3072
"""Most pixels of a photo's side that are used: float copies of more would fill the memory."""


class PhotoError(GdqError):
    """Photos cannot be used for calibration; the message is one sentence addressed to the user."""


@dataclass(frozen=True, eq=False)
class CalibrationTiles:
    """Tiles of photos at the deployed size.

    Attributes:
        low: (N, 3, T, T) uint8 RGB, the network's input.
        high: (N, 3, T * scale, T * scale) uint8 RGB, the ground truth.
        photo: (N,) int64, number of the photo that a tile was cut from.
        source: where the photos come from, in words.
    """

    low: Tensor
    high: Tensor
    photo: NDArray[np.int64]
    source: str

    @property
    def photos(self) -> int:
        """Number of photos."""
        return len(np.unique(self.photo))


def load_tiles(folder: Path | None, *, tile: int, scale: int, count: int) -> CalibrationTiles:
    """Cut at most ``count`` tiles, as far as sizes allow the same number from each photo.

    Args:
        folder: folder of photos, searched with its sub-folders; None for scikit-image's samples.
        tile: side of a tile in low-resolution pixels.
        scale: upscaling factor.
        count: largest number of tiles; of more photos than that, only some are used.

    Raises:
        ImageError: there is no folder of photos, or a photo cannot be read.
        PhotoError: no photo is large enough for a tile.
    """
    found: list[Path | str] = [*(_SAMPLES if folder is None else find_pictures(folder, deep=True))]
    sources = _spread(found, count)
    quota = max(1, count // len(sources))
    low, high, numbers = [], [], []
    for number, source in enumerate(sources):
        for low_tile, high_tile in _cut(_load(source), tile, scale, quota):
            low.append(low_tile)
            high.append(high_tile)
            numbers.append(number)
    name = "scikit-image samples" if folder is None else folder.resolve().name
    if not low:
        raise PhotoError(f"{name}: no photo is at least {tile * scale} pixels high and wide")
    return CalibrationTiles(torch.stack(low), torch.stack(high), np.array(numbers), name)


def _load(source: Path | str) -> Photo:
    if isinstance(source, Path):
        return read_rgb(source)
    from skimage import data

    return np.asarray(getattr(data, source)(), np.uint8)


def _cut(photo: Photo, tile: int, scale: int, quota: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield at most ``quota`` pairs of a tile and its ground truth, spread over the photo."""
    height, width = (min(side, _LARGEST_SIDE) // scale * scale for side in photo.shape[:2])
    top, left = (photo.shape[0] - height) // 2, (photo.shape[1] - width) // 2
    photo = photo[top : top + height, left : left + width]
    high, low = _planes(photo), _planes(make_smaller(photo, scale))
    rows, columns = (_starts(side // scale, tile) for side in (height, width))
    for y, x in _spread([(y, x) for y in rows for x in columns], quota):
        inside = np.s_[:, y * scale : (y + tile) * scale, x * scale : (x + tile) * scale]
        yield low[:, y : y + tile, x : x + tile], high[inside]


def _planes(photo: Photo) -> Tensor:
    return torch.from_numpy(photo).permute(2, 0, 1).contiguous()


def _starts(length: int, tile: int) -> list[int]:
    """Return where the tiles that cover a length begin; the last is moved back to fit."""
    if length < tile:
        return []
    return sorted({*range(0, length - tile + 1, tile), length - tile})


def _spread(items: Sequence[_Item], count: int) -> list[_Item]:
    """Return at most ``count`` items, evenly spaced."""
    if len(items) <= count:
        return list(items)
    return [items[(2 * i + 1) * len(items) // (2 * count)] for i in range(count)]
