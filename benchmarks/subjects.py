"""What is measured: a checkpoint, its bundle, photos of any size, a tiny untrained network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

from gdq_exporter import ExportConfig, export
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

    @cached_property
    def tiny_bundle(self) -> Path:
        """A network of one block and 8 channels that was never trained: the engine costs little."""
        target = self.folder / "tiny_bundle"
        checkpoint = self.folder / "tiny.safetensors"
        save_tiny_checkpoint(checkpoint)
        export(checkpoint, target, ExportConfig(tile=96))
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


def save_tiny_checkpoint(path: Path) -> None:
    """Writes an EDSR x2 whose weights are random and whose steps fit them."""
    import torch

    from gdq_models import EDSR, EntropyTable, save_checkpoint, tile_entropy

    torch.manual_seed(0)
    network = EDSR(scale=2, channels=8, blocks=1, gate="group_norm")
    tiles = torch.from_numpy(mosaic(8 * 96, 96).reshape(96, 8, 96, 3)).permute(1, 3, 0, 2).float()
    eight_bits = network.route_for(torch.full((len(tiles),), 8))
    with torch.no_grad():
        network.train()(tiles, eight_bits)  # the first pass sets the steps
    table = EntropyTable.build(tile_entropy(tiles).tolist(), tile=96, scale=network.scale)
    network.predictor.e2b.set_table(table)
    save_checkpoint(network.eval(), path)
