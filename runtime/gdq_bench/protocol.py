"""Schema of a benchmark's results, as written to JSON; the same for every target."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from gdq_bench.measure.machine import MachineFacts
from gdq_bench.measure.statistics import Spread
from gdq_core.bit_widths import name_of_width
from gdq_validate.report import Decibels

SCHEMA_VERSION: Final = 1
"""Raised when a reader of the previous version would misread a result."""

BASELINE_ENGINE, BASELINE_BITS = "onnxruntime", 8
"""What ratios are taken of: within a few percent of what ONNX Runtime's own static quantizer makes
of the same network (docs/performance.md, static-quantizer)."""

Bits = Annotated[
    int | None,
    Field(description="of all tiles; 32 is float; null if each got its predicted bit-width"),
]
Facts = dict[str, float | int | str]
"""Name and unit -> what was found."""
Ratio = Annotated[
    Spread | None,
    Field(description="processor time over the baseline's, round by round; null without one"),
]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class PictureSize(_Model):
    """A picture that was upscaled, as large as it became."""

    name: str
    width: int
    height: int


class Settings(_Model):
    """What was measured, and how often."""

    bundle: str
    network: str
    scale: int
    profile: str
    checkpoint: Annotated[str, Field(description="SHA-256 of the exported file")]
    tile: Annotated[int, Field(description="side in low-resolution pixels")]
    overlap: int
    tile_rounds: int
    picture_rounds: int
    data: str
    pictures: list[PictureSize]


class GoldenTiles(_Model):
    """How far an engine is from what the bundle promises."""

    equal: Annotated[float, Field(description="share of samples")]
    beyond_one: Annotated[float, Field(description="share of samples more than one apart")]
    largest: Annotated[int, Field(description="difference, gray levels")]
    same_bit_width: Annotated[int, Field(description="tiles that got the promised bit-width")]
    tiles: int
    holds: Annotated[bool, Field(description="whether docs/numerics.md allows that much")]


class EngineFacts(_Model):
    """An engine that took part."""

    name: str
    accelerator_asked: str
    accelerator_used: str
    golden: GoldenTiles


class _Timed(_Model):
    engine: str
    bits: Bits
    wall: Annotated[Spread, Field(description="seconds")]
    cpu: Annotated[Spread, Field(description="seconds of all processors together")]
    ratio: Ratio


class TileTimes(_Timed):
    """One tile at one bit-width."""


class PictureTimes(_Timed):
    """All pictures in one way, from array to array."""

    workers: Annotated[int, Field(ge=1, description="pinned to a processor each")]
    megapixels_per_second: Annotated[float, Field(description="of the result, by wall time")]
    fab: Annotated[float, Field(description="interpolated tiles count 0 bits")]
    network_fab: Annotated[float, Field(description="without interpolated tiles")]
    psnr_y: Annotated[Decibels, Field(description="mean over pictures")]
    loss_db: Annotated[
        float | None,
        Field(description="PSNR below this engine's tiles at 8 bits; null if it did not run them"),
    ]
    milliseconds_per_tile: Annotated[float, Field(description="median processor time over tiles")]
    speedup: Annotated[
        Spread | None, Field(description="wall time of one worker over this; null of one worker")
    ] = None


class Result(_Model):
    """A promised number, as the suite (`make bench`) measured it."""

    name: Annotated[str, Field(description="what was measured, in words")]
    value: float
    unit: Literal["s", "ratio", "%", "M cycles"]
    bar: Annotated[float, Field(description="what it must reach")]
    at_least: Annotated[bool, Field(description="whether the bar is a lower bound")] = False
    facts: Annotated[Facts, Field(description="medians, sizes and counts that it came from")] = {}

    @property
    def is_reached(self) -> bool:
        """Whether the number reaches its bar."""
        return self.value >= self.bar if self.at_least else self.value <= self.bar


class SuiteResults(_Model):
    """What one benchmark of the suite found."""

    machine: MachineFacts
    results: list[Result]


class BenchResult(_Model):
    """One run on one device."""

    schema_version: Literal[1] = SCHEMA_VERSION
    target: Literal["host"]
    machine: MachineFacts
    settings: Settings
    engines: list[EngineFacts]
    baseline: Annotated[str | None, Field(description="of the ratios; null if it did not run")]
    tiles: Annotated[list[TileTimes], Field(description="of the engines that compute rightly")]
    pictures: Annotated[list[PictureTimes], Field(description="likewise")]
    warnings: Annotated[list[str], Field(description="why a number may not be trusted")]
    notes: Annotated[list[str], Field(description="what was left out, and why")]

    @property
    def wrong(self) -> list[str]:
        """Engines that do not compute what the bundle promises, and so have no times."""
        return [engine.name for engine in self.engines if not engine.golden.holds]


def name_bits(bits: int | None) -> str:
    """Name what tiles were run with, as tables show it."""
    return "routed" if bits is None else name_of_width(bits)
