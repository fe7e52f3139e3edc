"""What is measured: a checkpoint, its bundle, photos of any size."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gdq_bench.measure.sample_picture import mosaic_rows
from gdq_bench.suite.arm_cycles.networks import NETWORKS
from gdq_core.pictures.encode import PictureWriter
from gdq_exporter import export


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
    def mobile_bundle(self) -> Path:
        """The zoo's mobile EDSR x2, exported with default settings."""
        target = self.folder / "mobile"
        export(NETWORKS["mobile"], target)
        return target

    def photo(self, megapixels: float, *, width: int | None = None) -> Path:
        """Return a PNG of about so many megapixels, 4:3 or of a given width."""
        width = width or round((megapixels * 1e6 * 4 / 3) ** 0.5)
        height = round(megapixels * 1e6 / width)
        path = self.folder / f"photo_{width}x{height}.png"
        if not path.exists():
            with PictureWriter(path, width, height, 3) as writer:
                for rows in mosaic_rows(width, height):
                    writer.write_rows(rows)
                writer.close()
        return path
