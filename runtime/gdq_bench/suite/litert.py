"""A bundle's TFLite graphs: their time against a plain int8 graph, the predictor's, their size."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from statistics import median

from ai_edge_litert.interpreter import Interpreter

from gdq_bench.measure.clock import Times, interleave, ratio
from gdq_bench.measure.machine import pinned
from gdq_bench.measure.sample_picture import mosaic
from gdq_bench.protocol import Facts, Result
from gdq_bench.suite.plain_int8 import SIGNATURE, write_plain_int8
from gdq_bench.suite.results import facts_of
from gdq_bench.suite.subjects import Subjects
from gdq_core.bit_widths import BIT_WIDTHS, BitWidth
from gdq_exporter.calibration import load_calibration
from gdq_exporter.config import DEFAULT_PROFILE, PROFILES
from gdq_exporter.lowering import LoweredNetwork, lower_shared, lower_width
from gdq_exporter.targets.tflite.writer import FILE, TfliteWriter
from gdq_exporter.trace import trace
from gdq_models import SuperResolutionNetwork, load_checkpoint
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.base import predictor_of
from gdq_runtime.engines.registry import open_engine

_TILE = 96
_BIT_WIDTHS: tuple[BitWidth, ...] = BIT_WIDTHS


def measure(subjects: Subjects) -> list[Result]:
    """Time one tile of each on one processor, and write the file with four widths and one."""
    network = load_checkpoint(subjects.checkpoint).network
    times = _time(subjects, network)
    ours, theirs = (
        [times[f"{engine}, {width} bits"] for width in _BIT_WIDTHS]
        for engine in ("litert", "onnxruntime")
    )
    facts: Facts = {}
    for name, measured in times.items():
        facts |= facts_of(name, measured)
    ratios = [ratio(other, one, "cpu").median for other, one in zip(theirs, ours, strict=True)]
    facts["ONNX Runtime over LiteRT"] = round(median(ratios), 3)
    slowest = max(ratio(one, times["plain int8"], "cpu").median for one in ours)
    share, other_share = (
        100 * max(ratio(times[f"{engine}, predictor"], one, "cpu").median for one in tiles)
        for engine, tiles in (("litert", ours), ("onnxruntime", theirs))
    )
    gate: Facts = {"ONNX Runtime, %": round(other_share, 2)}
    four, one = _sizes(subjects.folder, network)
    sizes: Facts = {"four widths, bytes": four, "one width, bytes": one}
    return [
        Result(
            name="TFLite subgraph against a plain int8 one",
            value=slowest,
            unit="ratio",
            bar=1.05,
            facts=facts,
        ),
        Result(
            name="predictor against the cheapest tile, LiteRT",
            value=share,
            unit="%",
            bar=1,
            facts=gate,
        ),
        Result(
            name="TFLite file of four bit-widths against one",
            value=four / one,
            unit="ratio",
            bar=1.1,
            facts=sizes,
        ),
    ]


def _time(subjects: Subjects, network: SuperResolutionNetwork) -> dict[str, Times]:
    bundle, tile = Bundle.open(subjects.bundle), mosaic(_TILE, _TILE)
    plain = subjects.folder / "plain.tflite"
    write_plain_int8(network, _TILE, plain)
    runs: dict[str, Callable[[], object]] = {"plain int8": _plain_runner(plain)}
    with (
        pinned(1),
        closing(open_engine("litert", bundle, _TILE)) as litert,
        closing(open_engine("onnxruntime", bundle, _TILE)) as ort,
    ):
        for engine in (litert, ort):
            runs[f"{engine.name}, predictor"] = partial(predictor_of(engine, bundle), tile)
            for width in _BIT_WIDTHS:
                runs[f"{engine.name}, {width} bits"] = partial(engine.run, width, tile)
        return interleave(runs, rounds=3 if subjects.quick else 40)


def _plain_runner(path: Path) -> Callable[[], object]:
    runner = Interpreter(model_path=str(path), num_threads=1).get_signature_runner(SIGNATURE)
    tile = mosaic(_TILE, _TILE).view("int8")[None]
    return lambda: runner(tile=tile)


def _sizes(folder: Path, network: SuperResolutionNetwork) -> tuple[int, int]:
    """Return bytes with all widths, and with the smallest one."""
    tiles = load_calibration(None, _TILE, 2).tiles  # steps do not change sizes
    shared = lower_shared(trace(network, _TILE), PROFILES[DEFAULT_PROFILE])
    lowered = [lower_width(shared, bit_width, tiles) for bit_width in _BIT_WIDTHS]
    four = _size(folder / "tflite4", network, lowered)
    one = min(_size(folder / f"tflite_bits{x.bit_width}", network, [x]) for x in lowered)
    return four, one


def _size(folder: Path, network: SuperResolutionNetwork, lowered: list[LoweredNetwork]) -> int:
    folder.mkdir()
    writer = TfliteWriter(folder, _TILE)
    for one in lowered:
        writer.write_subgraph(one)
    writer.write_predictor(network.decision())
    writer.close()
    return (folder / FILE).stat().st_size
