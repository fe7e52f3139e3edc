"""What a pixel of the result costs with tiles of 48, 64, 96 and 128 pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median

from ai_edge_litert.interpreter import Interpreter

from gdq_bench.measure.clock import Times, interleave
from gdq_bench.measure.machine import pinned
from gdq_bench.measure.sample_picture import mosaic
from gdq_bench.protocol import Facts, Result
from gdq_bench.suite.results import facts_of
from gdq_bench.suite.subjects import Subjects
from gdq_core.bit_widths import BitWidth
from gdq_exporter.calibration import load_calibration
from gdq_exporter.config import DEFAULT_PROFILE, PROFILES, ExportConfig
from gdq_exporter.lowering import lower_shared, lower_width
from gdq_exporter.targets.tflite.writer import FILE, TfliteWriter
from gdq_exporter.trace import trace
from gdq_models import load_checkpoint
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.base import Engine, predictor_of
from gdq_runtime.engines.registry import open_engine

TILES = (48, 64, 96, 128)
_DEFAULT = ExportConfig.tile
_OVERLAP = ExportConfig.overlap
_BIT_WIDTH: BitWidth = 4
"""The widths differ by 3 % at most (benchmark litert)."""


def measure(subjects: Subjects) -> list[Result]:
    """Time predictor and subgraph of one tile of each size on one processor, on both engines.

    What neighbours share is computed twice and seen once: the time of a tile is divided by the
    pixels that it adds to the result, ``((tile - overlap) * scale) ** 2``.
    """
    scale = Bundle.open(subjects.bundle).manifest.network.scale
    with pinned(1), ExitStack() as opened:
        runs = _ort_runs(subjects, opened) | _litert_runs(subjects)
        times = interleave(runs, rounds=2 if subjects.quick else 25)
    return [compare(engine, times, scale) for engine in ("onnxruntime", "litert")]


def _ort_runs(subjects: Subjects, opened: ExitStack) -> dict[str, Callable[[], object]]:
    """Return the bundle's graphs, fixed to each size."""
    bundle = Bundle.open(subjects.bundle)
    return {
        f"onnxruntime, {tile}": _ort_run(
            opened.enter_context(closing(open_engine("onnxruntime", bundle, tile))), bundle, tile
        )
        for tile in TILES
    }


def _ort_run(engine: Engine, bundle: Bundle, tile: int) -> Callable[[], object]:
    pixels, predict = mosaic(tile, tile), predictor_of(engine, bundle)
    return lambda: (predict(pixels), engine.run(_BIT_WIDTH, pixels))


def _litert_runs(subjects: Subjects) -> dict[str, Callable[[], object]]:
    """Return the same network written for each size."""
    network = load_checkpoint(subjects.checkpoint).network
    shared = lower_shared(trace(network, _DEFAULT), PROFILES[DEFAULT_PROFILE])
    lowered = lower_width(shared, _BIT_WIDTH, load_calibration(None, _DEFAULT, 2).tiles)
    runs = {}
    for tile in TILES:
        folder = subjects.folder / f"tile{tile}"
        folder.mkdir()
        writer = TfliteWriter(folder, tile)
        writer.write_subgraph(lowered)
        writer.write_predictor(network.decision())
        writer.close()
        runs[f"litert, {tile}"] = _litert_run(folder / FILE, tile)
    return runs


def _litert_run(file: Path, tile: int) -> Callable[[], object]:
    interpreter = Interpreter(model_path=str(file), num_threads=1)
    predict = interpreter.get_signature_runner("predictor")
    run = interpreter.get_signature_runner(f"bits{_BIT_WIDTH}")
    pixels = mosaic(tile, tile)[None]
    return lambda: (predict(tile=pixels), run(tile=pixels))


def compare(engine: str, times: Mapping[str, Times], scale: int) -> Result:
    """Compare the default size with the best one.

    Args:
        engine: which times to take.
        times: of one tile, by "engine, size".
        scale: upscaling factor.
    """
    costs = {
        tile: median(times[f"{engine}, {tile}"].cpu) / ((tile - _OVERLAP) * scale) ** 2
        for tile in TILES
    }
    facts: Facts = {
        f"{tile}x{tile}: cpu, ns per new pixel": round(1e9 * cost) for tile, cost in costs.items()
    }
    for tile in TILES:
        facts |= facts_of(f"{tile}x{tile}", times[f"{engine}, {tile}"])
    name = f"tiles of {_DEFAULT} against the best, {engine}"
    return Result(
        name=name, value=costs[_DEFAULT] / min(costs.values()), unit="ratio", bar=1.1, facts=facts
    )
