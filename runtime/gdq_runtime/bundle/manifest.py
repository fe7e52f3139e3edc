"""The bundle's manifest: the only place that knows its JSON.

Pydantic models with unknown keys forbidden. ``manifest.schema.json`` beside this file is generated
from them and committed, so that other implementations (the Kotlin one) can check what they read.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import PurePosixPath
from typing import Annotated, Final, Literal

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from gdq_core.bit_widths import BitWidth
from gdq_core.sensitivity import heads
from gdq_core.sensitivity.prices import PriceSteps
from gdq_core.sensitivity.rule import SensitivityRule

SCHEMA_VERSION: Final = 4
"""Increased when a reader of the previous version would misread a manifest."""

TWO_NETWORKS: Final = 5
"""Schema version of the manifest of a bundle that holds a small network beside its own."""

MANIFEST_NAME: Final = "manifest.json"
"""Of the file in a bundle's folder."""

Format = Literal["onnx", "tflite", "engine"]
"""Formats in which graphs are written; a bundle has all its graphs in each of its formats."""


def _stays_inside(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or "\\" in path or ":" in path or ".." in parts:
        raise ValueError(f"path {path!r} leaves the bundle's folder")
    return path


BundlePath = Annotated[str, AfterValidator(_stays_inside), Field(min_length=1, max_length=255)]
"""A path relative to the bundle's folder, with forward slashes, that cannot leave it."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class FileEntry(_Model):
    """One file of the bundle, as it was when sealed."""

    path: BundlePath
    size: Annotated[int, Field(ge=0, description="bytes")]
    sha256: Sha256


class TensorSpec(_Model):
    """A tensor at a graph's boundary."""

    name: Annotated[str, Field(min_length=1)]
    dtype: Literal["uint8", "int8", "int32", "int64", "float32"]
    shape: Annotated[
        list[int | str], Field(description="a number, or the name of a dimension that may vary")
    ]
    step: Annotated[
        float | None, Field(gt=0, description="real value of one integer unit; null if not scaled")
    ] = None
    zero_point: int | None = None


class TfliteGraph(_Model):
    """A graph inside a TFLite file, which holds several."""

    file: BundlePath
    signature: Annotated[str, Field(min_length=1, description="key by which the graph is called")]


class GraphSpec(_Model):
    """One executable graph: where it is in each format, and its inputs and outputs in all of them.

    A TFLite graph has one size: its variable dimensions are the tiling's ``size``, and at
    the network's output ``size`` times the scale.
    """

    onnx: Annotated[
        BundlePath | None, Field(description="ONNX file; weights may lie in files beside it")
    ] = None
    tflite: Annotated[TfliteGraph | None, Field(description="TFLite file and signature")] = None
    engine: Annotated[
        BundlePath | None, Field(description="packed model of our own engine, of all graphs")
    ] = None
    inputs: Annotated[list[TensorSpec], Field(min_length=1)]
    outputs: Annotated[list[TensorSpec], Field(min_length=1)]

    def files(self) -> dict[Format, str]:
        """Return the file that holds the graph for each format in which the graph exists."""
        places: dict[Format, str | None] = {
            "onnx": self.onnx,
            "tflite": None if self.tflite is None else self.tflite.file,
            "engine": self.engine,
        }
        return {name: file for name, file in places.items() if file is not None}


class Subgraph(GraphSpec):
    """The network at one activation bit-width."""

    bit_width: BitWidth


class E2B(_Model):
    """Entropy-to-bit rule for tiles to which the gate gave the largest width (paper, 3.3)."""

    thresholds: Annotated[
        list[float],
        Field(min_length=2, max_length=2, description="entropy in nats: at most [0], at most [1]"),
    ]
    bit_widths: Annotated[
        list[BitWidth], Field(min_length=3, max_length=3, description="low, middle, high entropy")
    ]

    @model_validator(mode="after")
    def _ordered(self) -> E2B:
        if not self.thresholds[0] <= self.thresholds[1]:
            raise ValueError("thresholds must not decrease")
        return self


Int32 = Annotated[int, Field(ge=-(2**31), lt=2**31)]


class SensitivityHeads(_Model):
    """Integer heads on a tile's nine statistics: ``(statistics . weights + bias) >> 14``.

    Heads and price count in 1/32 octaves; runtimes compute all of it (docs/bundle.md).
    """

    side: Annotated[
        int, Field(ge=16, le=1024, description="of the tiles that the heads were fitted to")
    ]
    weights: Annotated[
        list[Annotated[list[Int32], Field(min_length=9, max_length=9)]],
        Field(min_length=3, max_length=3, description="noise, error, interpolation"),
    ]
    biases: Annotated[list[Int32], Field(min_length=3, max_length=3)]
    steps: Annotated[
        list[int],
        Field(
            min_length=3,
            max_length=3,
            description="how far a score must be above the price to buy 5, 6 and 8 bits",
        ),
    ]
    price: Annotated[int, Field(description="of a bit where nothing else is asked for")]
    flat: Annotated[
        int,
        Field(description="largest interpolation head, less the picture's error, of flat tiles"),
    ]

    @model_validator(mode="after")
    def _sensible(self) -> SensitivityHeads:
        self.rule()
        return self

    @classmethod
    def of(cls, rule: SensitivityRule) -> SensitivityHeads:
        """Describe what decides."""
        return cls(
            side=rule.heads.side,
            weights=rule.heads.weights.tolist(),
            biases=rule.heads.biases.tolist(),
            steps=list(rule.steps.above),
            price=rule.price,
            flat=rule.flat,
        )

    def rule(self) -> SensitivityRule:
        """Return what decides by it."""
        weights, biases = np.array(self.weights, np.int64), np.array(self.biases, np.int64)
        five, six, eight = self.steps
        return SensitivityRule(
            heads=heads.SensitivityHeads(weights, biases, self.side),
            steps=PriceSteps((five, six, eight)),
            price=self.price,
            flat=self.flat,
        )


class Predictor(GraphSpec):
    """Tile -> what decides its bit-width.

    Outputs of a gate: ``logits`` (float32, 3), ``entropy`` (float32), ``bit_width``; of statistics:
    ``sensitivity`` (int32, 3), the heads, with which the whole picture decides.
    """

    gate: Literal["linear", "group_norm", "statistics"]
    gate_bit_widths: Annotated[
        list[BitWidth] | None,
        Field(min_length=3, max_length=3, description="null for statistics"),
    ] = None
    e2b: Annotated[E2B | None, Field(description="null for statistics")] = None
    sensitivity: Annotated[
        SensitivityHeads | None, Field(description="of statistics; null for a gate")
    ] = None

    @model_validator(mode="after")
    def _whole(self) -> Predictor:
        has_gate = self.gate_bit_widths is not None and self.e2b is not None
        has_heads = self.sensitivity is not None
        if (has_gate, has_heads) != (self.gate != "statistics", self.gate == "statistics"):
            raise ValueError(
                "a gate has gate_bit_widths and e2b, statistics have sensitivity, and neither both"
            )
        return self


class Network(_Model):
    """What was exported."""

    name: Annotated[str, Field(description="registry name, e.g. 'edsr'")]
    scale: Annotated[int, Field(ge=1, le=8)]
    parameters: Annotated[int, Field(gt=0)]
    quantized_macs_per_pixel: Annotated[
        int, Field(ge=0, description="multiply-adds of layers with a chosen width, per LR pixel")
    ]
    float_macs_per_pixel: Annotated[
        int, Field(ge=0, description="multiply-adds of the paper's float layers, per LR pixel")
    ]


class MeasuredTile(_Model):
    """A calibration tile: what the heads say of it, and what it really lost on every route."""

    large: Annotated[
        list[Int32], Field(min_length=3, max_length=3, description="heads of the large network")
    ]
    small: Annotated[
        list[Int32], Field(min_length=3, max_length=3, description="heads of the small network")
    ]
    level: Annotated[Int32, Field(description="of its picture, by the large network's heads")]
    losses: Annotated[
        dict[int, float],
        Field(
            description="route -> PSNR (luma) below the large network's largest width, dB of its "
            "picture; a route is 0 (interpolated), a bit-width, or 64 + one of the small network"
        ),
    ]


class SmallNetwork(_Model):
    """A second, cheaper network of the same scale, in a folder that is a bundle of its own.

    Prices are in dB per tile at the large network's largest width. A runtime finds their positions
    by the measured tiles and what routes cost on its device.
    """

    folder: BundlePath
    loss_db: Annotated[float, Field(ge=0, description="lost where nothing else is asked for, dB")]
    tiles: Annotated[list[MeasuredTile], Field(min_length=1)]


class Tiling(_Model):
    """How a picture is cut: square tiles of one size, whose neighbours share some pixels."""

    size: Annotated[int, Field(ge=16, le=1024, description="low-resolution pixels, multiple of 4")]
    overlap: Annotated[int, Field(ge=0, description="low-resolution pixels two tiles share")]

    @model_validator(mode="after")
    def _sensible(self) -> Tiling:
        if self.size % 4:
            raise ValueError("tile size must be a multiple of 4")
        if self.overlap * 2 > self.size:
            raise ValueError("overlap must be at most half of the tile")
        return self


Signal = Literal["gate_margin", "entropy"]
"""What the dial of a gate can tell tiles apart by."""


class TradeOffPoint(_Model):
    """What a choice of bit-widths costs and loses, averaged over the calibration tiles."""

    fab: Annotated[float, Field(ge=4, le=8, description="mean bits per tile")]
    loss_db: Annotated[
        float, Field(ge=0, description="PSNR (luma) below all tiles at the largest width, dB")
    ]


class OperatingPoint(TradeOffPoint):
    """One position of the bit budget dial."""

    bit_widths: Annotated[list[BitWidth], Field(min_length=1, description="one for each bin")]


class PricePoint(TradeOffPoint):
    """One position of the dial of statistics."""

    price: Annotated[int, Field(description="of a bit, in 1/32 octaves")]


_Curve = list[TradeOffPoint]


class TradeOffCurves(_Model):
    """Ways to choose bit-widths, for comparison at equal FAB; between points, tiles are mixed.

    The curve of a signal was measured on pictures that its bit-widths were not fitted to. Empty
    are those of signals that the bundle's predictor does not have.
    """

    gate_margin: _Curve = []
    entropy: _Curve = []
    sensitivity: _Curve = []
    random: Annotated[
        list[TradeOffPoint], Field(min_length=1, description="a gate that knows nothing of a tile")
    ]
    oracle: Annotated[
        list[TradeOffPoint], Field(min_length=1, description="knows every tile's true errors")
    ]


class TradeOff(_Model):
    """The bit budget dial.

    Of a gate: a signal of the tile, in bins, and bit-widths for each bin (``points``). Of
    statistics: prices of a bit (``prices``); ``signal``, bins and points are empty.
    """

    tiles: Annotated[int, Field(ge=1, description="calibration tiles with ground truth")]
    signal: Annotated[
        Signal | None,
        Field(description="last logit minus first logit, or the entropy output of the predictor"),
    ] = None
    bin_edges: Annotated[
        list[float], Field(description="ascending; a tile's bin is the number of edges below it")
    ] = []
    points: Annotated[
        list[OperatingPoint],
        Field(description="ascending FAB, descending loss, none beaten by a mixture"),
    ] = []
    prices: Annotated[
        list[PricePoint], Field(description="ascending FAB, descending price and loss")
    ] = []
    predictor: Annotated[TradeOffPoint, Field(description="the predictor as exported")]
    fixed: Annotated[
        list[TradeOffPoint], Field(min_length=1, description="all tiles at one bit-width")
    ]
    curves: TradeOffCurves

    @model_validator(mode="after")
    def _monotone(self) -> TradeOff:
        if (self.signal is None) != (not self.points) or bool(self.points) == bool(self.prices):
            raise ValueError("a dial has either a signal and points, or prices")
        for cheap, dear in pairwise(self.prices):
            if not (cheap.fab <= dear.fab and cheap.price > dear.price):
                raise ValueError("prices must fall as FAB rises")
        if any(later <= earlier for earlier, later in pairwise(self.bin_edges)):
            raise ValueError("bin edges must ascend")
        if any(len(point.bit_widths) != len(self.bin_edges) + 1 for point in self.points):
            raise ValueError("every point needs a bit-width for each bin")
        for earlier, later in pairwise(self.points):
            if not (earlier.fab < later.fab and earlier.loss_db > later.loss_db):
                raise ValueError("points must ascend in FAB and descend in loss")
        return self


class FlatTiles(_Model):
    """Tiles that need no network: cubic interpolation is as good."""

    largest_gradient: Annotated[
        float | None,
        Field(
            ge=0,
            description="mean absolute difference of neighbouring luma, gray levels; null for "
            "statistics, which have a head for it",
        ),
    ] = None
    share: Annotated[float, Field(ge=0, le=1, description="of the calibration tiles")]
    loss_db: Annotated[float, Field(ge=0, description="PSNR (luma) lost by interpolating them, dB")]


class AgreementBound(_Model):
    """How close pictures must be to expected ones: only so many samples may be further apart."""

    levels: Annotated[int, Field(ge=0, le=255, description="gray levels")]
    share: Annotated[float, Field(ge=0, lt=1, description="of the samples that may exceed them")]


class GoldenTile(_Model):
    """A tile with its expected results, so that any implementation can prove itself.

    A format whose graphs round in their own way has its own outputs; formats that round alike
    name the same files.
    """

    tile: Annotated[BundlePath, Field(description="PNG, size x size, RGB")]
    logits: Annotated[
        list[float] | None,
        Field(min_length=3, max_length=3, description="null for statistics, and the next two"),
    ] = None
    entropy: float | None = None
    bit_width: Annotated[BitWidth | None, Field(description="expected decision")] = None
    sensitivity: Annotated[
        list[int] | None,
        Field(min_length=3, max_length=3, description="expected heads; null for a gate"),
    ] = None
    outputs: Annotated[
        dict[Format, dict[str, BundlePath]],
        Field(min_length=1, description="format -> bit-width -> expected PNG"),
    ]


class Calibration(_Model):
    """Where the steps that training did not learn come from."""

    source: Annotated[str, Field(description="folder name or 'scikit-image samples'")]
    images: Annotated[int, Field(ge=1)]
    tiles: Annotated[int, Field(ge=1)]


class Checkpoint(_Model):
    """The file that was exported."""

    name: str
    sha256: Sha256


class Manifest(_Model):
    """Everything that a runtime must know about a bundle."""

    schema_version: Annotated[Literal[4, 5], Field(description="5 with a small network, else 4")]
    formats: Annotated[
        list[Format], Field(min_length=1, description="every graph is there in each of them")
    ]
    network: Network
    profile: Annotated[str, Field(description="export profile, see docs/bundle.md")]
    tiling: Tiling
    predictor: Predictor
    subgraphs: Annotated[list[Subgraph], Field(min_length=1, max_length=4)]
    trade_off: Annotated[TradeOff | None, Field(description="the bit budget dial")] = None
    flat_tiles: Annotated[
        FlatTiles | None, Field(description="null if interpolation costs too much on every tile")
    ] = None
    small: Annotated[SmallNetwork | None, Field(description="null in a bundle of one network")] = (
        None
    )
    golden: list[GoldenTile]
    agreement: Annotated[
        dict[Format, Annotated[list[AgreementBound], Field(min_length=1)]],
        Field(
            description="format -> how near every engine of it, on any processor, must come to its "
            "golden outputs, all bounds at once; only formats that have such outputs"
        ),
    ]
    calibration: Calibration
    checkpoint: Checkpoint
    tools: Annotated[dict[str, str], Field(description="package -> version used to export")]
    files: Annotated[list[FileEntry], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> Manifest:
        widths = [subgraph.bit_width for subgraph in self.subgraphs]
        if len(set(widths)) != len(widths):
            raise ValueError("a bit-width has two subgraphs")
        listed = {entry.path for entry in self.files}
        if len(listed) != len(self.files):
            raise ValueError("a file is listed twice")
        is_gate = self.predictor.gate != "statistics"
        if any((golden.sensitivity is None) != is_gate for golden in self.golden):
            raise ValueError("golden tiles have the answers of another kind of predictor")
        if self.trade_off is not None:
            if is_gate != bool(self.trade_off.points):
                raise ValueError("the trade-off is that of another kind of predictor")
            dialled = {width for point in self.trade_off.points for width in point.bit_widths}
            if missing := sorted(dialled - set(widths)):
                raise ValueError(f"the trade-off uses {missing[0]} bits, which have no subgraph")
        self._check_small()
        used = self._graph_files() | self._golden_files()
        if unlisted := sorted(used - listed):
            raise ValueError(f"{unlisted[0]!r} is used but not listed under files")
        return self

    def _check_small(self) -> None:
        if (self.small is not None) != (self.schema_version == TWO_NETWORKS):
            raise ValueError(f"schema version {TWO_NETWORKS} is that of bundles of two networks")
        if self.small is None:
            return
        if self.predictor.sensitivity is None:
            raise ValueError("a bundle of two networks needs a predictor of statistics")
        manifest = f"{PurePosixPath(self.small.folder)}/{MANIFEST_NAME}"
        if all(entry.path != manifest for entry in self.files):
            raise ValueError(f"{manifest!r} is used but not listed under files")
        if len({frozenset(tile.losses) for tile in self.small.tiles}) > 1:
            raise ValueError("the measured tiles have losses on different routes")

    def _golden_files(self) -> set[str]:
        """Return golden tiles and outputs, which exist in each format that has a bound."""
        files: set[str] = set()
        for golden in self.golden:
            if golden.outputs.keys() != self.agreement.keys():
                found, meant = sorted(golden.outputs), sorted(self.agreement)
                raise ValueError(
                    f"a golden tile has outputs in {found}, but there are bounds for {meant}"
                )
            files |= {golden.tile}
            files |= {path for paths in golden.outputs.values() for path in paths.values()}
        if foreign := sorted(self.agreement.keys() - set(self.formats)):
            raise ValueError(
                f"agreement has a bound for {foreign[0]!r}, which is not a format of the bundle"
            )
        return files

    def _graph_files(self) -> set[str]:
        """Return the files of all graphs; each graph must exist in exactly the listed formats."""
        if len(set(self.formats)) != len(self.formats):
            raise ValueError("a format is listed twice")
        files: set[str] = set()
        for graph in (self.predictor, *self.subgraphs):
            found = graph.files()
            if sorted(found) != sorted(self.formats):
                formats = sorted(self.formats)
                raise ValueError(f"a graph exists in {sorted(found)}, not in {formats}")
            files |= set(found.values())
        return files
