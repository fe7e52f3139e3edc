"""Schema of a benchmark's results, as written to JSON; the same for every target."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from gdq_bench.measure.machine import MachineFacts
from gdq_bench.measure.statistics import Spread
from gdq_core.bit_widths import name_of_width
from gdq_validate.report import Decibels

SCHEMA_VERSION: Final = 2
"""Raised when a reader of the previous version would misread a result. ``results.read_result`` also
reads version 1, which knew no target but the host."""

BASELINE_ENGINE, BASELINE_BITS = "onnxruntime", 8
"""What ratios are taken of: within a few percent of what ONNX Runtime's own static quantizer makes
of the same network (docs/performance.md, static-quantizer)."""

Target = Literal["host", "adb", "app"]
"""This computer; a phone, by programs of its shell; a phone, by the app itself."""

ReasonKind = Literal[
    "emulated", "wrong outputs", "fell back", "throttled", "frequency moved", "migrated", "load",
    "too few rounds", "cable lost", "killed",
]  # fmt: skip
"""Why a measurement is not valid (docs/benchmarking.md explains each)."""

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
    inputs: Annotated[
        str | None,
        Field(
            description="SHA-256 of the timed tile's pixels, and of the names and sizes of the "
            "pictures; null in results of version 1"
        ),
    ] = None
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


class Graph(_Model):
    """How much of the graph of one bit-width an accelerator took; null where nobody tells."""

    bits: int
    nodes: int | None
    accelerated_nodes: Annotated[
        int | None, Field(description="by NNAPI; on the CPU, by TensorFlow Lite's XNNPACK")
    ]
    partitions: Annotated[int | None, Field(description="that they were taken in")]


class EngineFacts(_Model):
    """An engine that took part."""

    name: str
    accelerator_asked: str
    accelerator_used: str
    golden: GoldenTiles
    graphs: Annotated[list[Graph], Field(description="of peers on phones, ascending")] = []


class Round(_Model):
    """What one round took."""

    wall: Annotated[float, Field(gt=0, description="seconds")]
    cpu: Annotated[float, Field(ge=0, description="seconds of all processors together")]


class _Timed(_Model):
    cluster: Annotated[
        str | None, Field(description="of the cores that it was held to; null on the host")
    ] = None
    engine: str
    bits: Bits
    rounds: Annotated[list[Round], Field(description="in order; none in results of version 1")] = []
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
    psnr_y: Annotated[
        Decibels | None, Field(description="mean over pictures; null where results stay on a phone")
    ]
    loss_db: Annotated[
        float | None,
        Field(description="PSNR below this engine's tiles at 8 bits; null if it did not run them"),
    ]
    milliseconds_per_tile: Annotated[float, Field(description="median processor time over tiles")]
    speedup: Annotated[
        Spread | None, Field(description="wall time of one worker over this; null of one worker")
    ] = None


class Cluster(_Model):
    """Cores of a device that are alike."""

    name: str
    cores: list[int]
    capacity: Annotated[int | None, Field(description="the strongest core's is 1024")]
    max_frequency: Annotated[int | None, Field(description="kHz, as built")]


class DeviceFacts(_Model):
    """A phone, beyond what every machine has."""

    serial: str
    model: str
    soc: str
    android: str
    api: int
    abi: str
    build: Annotated[str, Field(description="fingerprint of the system")]
    program: Annotated[str, Field(description="SHA-256 of what measured")]
    clusters: list[Cluster]
    measured: Annotated[list[str], Field(description="names of the clusters that were measured")]


class Heat(_Model):
    """How hot a device was at a moment; what could not be read is null, and says why."""

    seconds: Annotated[float, Field(description="since the measurement began")]
    when: Annotated[str, Field(description="what was going on, in words")]
    zones: Annotated[dict[str, float], Field(description="degrees Celsius, by type")]
    status: Annotated[int | None, Field(description="thermal status, 0 none to 6 shutdown")]
    headroom: Annotated[float | None, Field(description="1 is severe throttling")]
    max_frequency: Annotated[
        dict[int, int], Field(description="kHz that the clock may reach, by a cluster's first core")
    ]
    battery_level: Annotated[int | None, Field(description="percent")]
    battery_temperature: Annotated[float | None, Field(description="degrees Celsius")]
    rails: Annotated[
        dict[str, int], Field(description="microjoules through each power rail so far")
    ] = {}
    charge: Annotated[int | None, Field(description="left in the battery, microampere hours")]
    voltage: Annotated[int | None, Field(description="of the battery, millivolts")]
    is_charging: bool | None
    is_awake: Annotated[bool | None, Field(description="whether the screen is on")]
    missing: Annotated[dict[str, str], Field(description="what could not be read -> why")]


class Minute(_Model):
    """A minute of work without a pause."""

    megapixels_per_second: float
    heat: Annotated[Heat, Field(description="at its end")]


class Sustained(_Model):
    """Routed pictures without a pause, on all cores of a cluster."""

    cluster: str
    engine: str
    workers: int
    minutes: Annotated[list[Minute], Field(min_length=1)]
    last_over_first: Annotated[float, Field(description="speed of the last minute over the first")]
    megapixels_per_percent: Annotated[
        float | None, Field(description="of the battery's level; null where it did not fall")
    ]
    joules_per_megapixel: Annotated[
        float | None, Field(description="by the battery's counter; null where it is not told")
    ]
    no_energy: Annotated[str | None, Field(description="why either is null")]
    rail_joules_per_megapixel: Annotated[
        dict[str, float], Field(description="by each power rail; empty where none is metered")
    ] = {}


class Reason(_Model):
    """Something that makes times worthless."""

    kind: ReasonKind
    sentence: str


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

    schema_version: Literal[2] = SCHEMA_VERSION
    target: Target
    emulated: Annotated[bool, Field(description="whether times mean nothing at all")] = False
    machine: MachineFacts
    device: Annotated[DeviceFacts | None, Field(description="null of the host")] = None
    settings: Settings
    engines: list[EngineFacts]
    baseline: Annotated[str | None, Field(description="of the ratios; null if it did not run")]
    tiles: Annotated[list[TileTimes], Field(description="of the engines that compute rightly")]
    pictures: Annotated[list[PictureTimes], Field(description="likewise")]
    sustained: list[Sustained] = []
    heat: Annotated[list[Heat], Field(description="in order; none on the host")] = []
    reasons: Annotated[list[Reason], Field(description="why the times are not valid")] = []
    warnings: Annotated[list[str], Field(description="why a number may not be trusted")]
    notes: Annotated[list[str], Field(description="what was left out, and why")]

    @property
    def is_valid(self) -> bool:
        """Whether nothing is known that makes the times worthless."""
        return not self.reasons

    @property
    def wrong(self) -> list[str]:
        """Engines that do not compute what the bundle promises, and so have no times."""
        return [engine.name for engine in self.engines if not engine.golden.holds]


def list_rounds(wall: Sequence[float], cpu: Sequence[float]) -> list[Round]:
    """Put the times of all rounds side by side."""
    return [Round(wall=one, cpu=other) for one, other in zip(wall, cpu, strict=True)]


def digest_inputs(tile: bytes, pictures: Sequence[PictureSize]) -> str:
    """Return what ``Settings.inputs`` holds.

    Args:
        tile: pixels of the timed tile.
        pictures: all that were upscaled.

    """
    names = "\n".join(f"{one.name} {one.width} {one.height}" for one in pictures)
    return hashlib.sha256(tile + names.encode()).hexdigest()


def name_bits(bits: int | None) -> str:
    """Name what tiles were run with, as tables show it."""
    return "routed" if bits is None else name_of_width(bits)
