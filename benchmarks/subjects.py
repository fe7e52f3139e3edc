"""What is measured: a checkpoint, its bundle, photos of any size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

from gdq_exporter import export
from gdq_runtime.encode import PictureWriter

Image = NDArray[np.uint8]

_PHOTOS = ("astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg", "motorcycle_left.png")


@dataclass(frozen=True)
class Subjects:
    """Everything that benchmarks run on; made when first asked for, in one folder.

    Attributes:
        checkpoint: EDSR-baseline x2.
        folder: where files are made; the caller removes it.
        quick: inputs as small as possible: shows that a benchmark runs, measures nothing.
    """

    checkpoint: Path
    folder: Path
    quick: bool

    @property
    def rounds(self) -> int:
        """How often to repeat what takes seconds."""
        return 1 if self.quick else 5

    @cached_property
    def bundle(self) -> Path:
        """The checkpoint, exported with default settings."""
        target = self.folder / "bundle"
        export(self.checkpoint, target)
        return target

    def photo(self, megapixels: float, *, width: int | None = None) -> Path:
        """A PNG of about so many megapixels, 4:3 or of a given width."""
        width = width or round((megapixels * 1e6 * 4 / 3) ** 0.5)
        height = round(megapixels * 1e6 / width)
        path = self.folder / f"photo_{width}x{height}.png"
        if not path.exists():
            with PictureWriter(path, width, height, 3) as writer:
                for rows in _mosaic_rows(width, height):
                    writer.write_rows(rows)
                writer.close()
        return path


def mosaic(width: int, height: int) -> Image:
    """Sample photos side by side and one below the other: (height, width, 3) RGB."""
    return np.concatenate(list(_mosaic_rows(width, height)))


def _mosaic_rows(width: int, height: int) -> Iterator[Image]:
    photos = [_load(Path(data.data_dir) / name) for name in _PHOTOS]
    row = min(photo.shape[0] for photo in photos)
    strip = np.concatenate([photo[:row] for photo in photos], axis=1)
    for top in range(0, height, row):
        # Every row of photos begins elsewhere, so that a large picture does not repeat itself.
        shifted = np.roll(strip, -top // 2, axis=1)
        repeated = np.tile(shifted, (1, -(-width // strip.shape[1]), 1))[:, :width]
        yield np.ascontiguousarray(repeated[: min(row, height - top)])


def _load(path: Path) -> Image:
    image = cv2.imread(str(path))
    assert image is not None, path
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
