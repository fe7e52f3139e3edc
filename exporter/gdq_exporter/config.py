"""Settings of an export, and the named profiles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

from gdq_exporter.errors import ExportError
from gdq_runtime.bundle.manifest import Format


@dataclass(frozen=True)
class Profile:
    """Which parts behind the quantized body run in integers."""

    integer_tail: bool
    """Body end, upsampler and tail in 8 bits, chosen by calibration; else float as in the paper."""


PROFILES: Final[dict[str, Profile]] = {
    # name = what the body's stream is - what the tail is
    "stream_float-tail_int8": Profile(integer_tail=True),
    "stream_float-tail_float": Profile(integer_tail=False),
}
DEFAULT_PROFILE: Final = "stream_float-tail_float"

FORMATS: Final[tuple[Format, ...]] = get_args(Format)
"""Formats in which graphs can be written; ``targets/registry.py`` has a target for each."""


@dataclass(frozen=True)
class ExportConfig:
    """Settings of one export.

    Raises:
        ExportError: on construction, if settings contradict each other or are out of range.
    """

    tile: int = 96
    """Side of a tile in low-resolution pixels: a multiple of 4 in 16..1024."""
    overlap: int = 6
    """Low-resolution pixels that neighbouring tiles share."""
    small: Path | None = None
    """Checkpoint of a second, smaller network of the same scale, to route tiles between both."""
    scale: int | None = None
    """Upscaling factor the checkpoint must have; None accepts what it has."""
    calibration: Path | None = None
    """Folder of photos; None uses scikit-image's sample photos."""
    calibration_tiles: int = 12
    """Tiles cut from the photos: at least 4, because golden tiles are chosen from them."""
    trade_off_tiles: int = 48
    """Tiles with ground truth on which the bit budget dial is measured, at least 1."""
    profile: str = DEFAULT_PROFILE
    formats: tuple[Format, ...] | None = None
    """Formats to write the graphs in; the first one's engine makes the golden tiles.

    None writes all that can express the network."""
    onnx_embed_weights: bool = False
    """Write every ONNX graph with its weights inside, so that it loads from bytes."""
    entropy_table: Path | None = None
    """E2B.json of a released checkpoint, whose quantiles it turns into entropies."""
    measure_memory: bool = False
    """Run every graph alone in every engine and report the memory it takes; Linux only."""
    overwrite: bool = False

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        if self.tile % 4 or not 16 <= self.tile <= 1024:
            raise ExportError(f"tile {self.tile} must be a multiple of 4 from 16 to 1024")
        if not 0 <= self.overlap * 2 <= self.tile:
            raise ExportError(f"overlap {self.overlap} must be from 0 to half of tile {self.tile}")
        if self.calibration_tiles < 4:
            raise ExportError(
                f"at least 4 calibration tiles are needed, got {self.calibration_tiles}"
            )
        if self.trade_off_tiles < 1:
            raise ExportError(f"at least 1 trade-off tile is needed, got {self.trade_off_tiles}")
        if self.formats is not None:
            _check_formats(self.formats)
            if self.onnx_embed_weights and "onnx" not in self.formats:
                raise ExportError(
                    "weights can only be embedded in ONNX graphs: add the format onnx"
                )
        if self.profile not in PROFILES:
            known = ", ".join(PROFILES)
            raise ExportError(f"profile {self.profile!r} is unknown; choose one of {known}")


def _check_formats(formats: tuple[str, ...]) -> None:
    if not formats or len(set(formats)) < len(formats):
        raise ExportError(f"formats {formats} must be one or more, each given once")
    if unknown := sorted(set(formats) - set(FORMATS)):
        known = ", ".join(FORMATS)
        raise ExportError(f"format {unknown[0]!r} is unknown; choose one of {known}")
