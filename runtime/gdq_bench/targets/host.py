"""The computer that runs us: engines run in this process."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gdq_bench.measure.candidates import Candidate, open_candidates
from gdq_bench.measure.machine import can_pin, describe_machine, pinned, processors
from gdq_bench.measure.pictures import measure_pictures
from gdq_bench.measure.sample_picture import mosaic
from gdq_bench.measure.tiles import measure_tiles
from gdq_bench.protocol import (
    BASELINE_BITS,
    BASELINE_ENGINE,
    BenchResult,
    EngineFacts,
    GoldenTiles,
    PictureSize,
    Settings,
    digest_inputs,
    name_bits,
)
from gdq_bench.report.reasons import find_engine_reasons
from gdq_bench.report.verdict import find_warnings
from gdq_core.pictures.encode import save_picture
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.tile_runner import Progress
from gdq_validate.agreement import read_picture
from gdq_validate.ground_truth import GroundTruth, list_ground_truth

_PACKAGES = (
    "onnxruntime", "ai-edge-litert", "tflite-runtime", "openvino", "onnx", "numpy",
    "opencv-python-headless", "granular-dq-mobile",
)  # fmt: skip
_TILE_ROUNDS = 8
"""Rounds of single tiles for each round of whole pictures, which take longer."""
_WIDTH, _HEIGHT = 2048, 1152
"""Of the default picture, upscaled."""

ProgressBar = Callable[[str], AbstractContextManager[Progress]]
"""Opens a bar with a label."""


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Attributes:
        engines: "all", or comma-separated names.
        data: folder of ground truth, or None for the sample photos.
        repeats: rounds of whole pictures, at least 1.

    """

    engines: str
    data: Path | None
    repeats: int


def measure_host(bundle: Bundle, plan: Plan, open_bar: ProgressBar) -> BenchResult:
    """Measure tiles, then pictures, on the first processors of our affinity.

    An engine whose golden tiles are wrong is described and not timed.

    Raises:
        BundleError: the bundle has no graphs for a named engine, or no golden tiles.
        EngineError: an engine is unknown, not installed, or refuses a graph.
        ImageError: no ground truth, or a picture that cannot be used.
        RequestError: the default picture cannot be made.

    """
    machine = describe_machine(_PACKAGES)
    notes: list[str] = []
    with tempfile.TemporaryDirectory(prefix="gdq-bench.") as name, pinned(2):
        folder = Path(name)
        truths = find_pictures(plan.data, bundle.manifest.network.scale, folder)
        if len(processors()) == 1:
            notes.append("two workers are left out: there is one processor")
        with open_candidates(bundle, plan.engines, folder, notes.append) as candidates:
            tile = read_picture(bundle.file(bundle.manifest.golden[0].tile))
            right = [candidate for candidate in candidates if candidate.agreement.holds]
            with open_bar("tiles") as progress:
                tiles = measure_tiles(right, tile, _TILE_ROUNDS * plan.repeats, progress)
            with open_bar("pictures") as progress:
                sizes, pictures = measure_pictures(bundle, right, truths, plan.repeats, progress)
            engines = [_describe(candidate) for candidate in candidates]
    has_baseline = any((one.engine, one.bits) == (BASELINE_ENGINE, BASELINE_BITS) for one in tiles)
    return BenchResult(
        target="host",
        machine=machine,
        settings=describe_settings(bundle, plan, sizes, tile),
        engines=engines,
        baseline=f"{BASELINE_ENGINE}, {name_bits(BASELINE_BITS)}" if has_baseline else None,
        tiles=tiles,
        pictures=pictures,
        reasons=find_engine_reasons(engines),
        warnings=[*_find_pinning_warnings(), *find_warnings(engines, tiles, pictures)],
        notes=notes,
    )


def _find_pinning_warnings() -> list[str]:
    """Say of this computer what phones, which are all Linux, can always do."""
    if can_pin():
        return []
    return ["this system cannot pin threads to processors: times may vary"]


def find_pictures(data: Path | None, scale: int, folder: Path) -> list[GroundTruth]:
    """List ground truth, or write the default picture into a folder.

    Raises:
        ImageError: there is no ground truth.
        RequestError: the default picture cannot be made.

    """
    if data is not None:
        return list_ground_truth(data, scale)
    path = folder / "sample_photos.png"
    save_picture(mosaic(_WIDTH, _HEIGHT), path, overwrite=False)
    return [GroundTruth(path.stem, path, None, scale)]


def describe_settings(
    bundle: Bundle, plan: Plan, pictures: list[PictureSize], tile: NDArray[np.uint8]
) -> Settings:
    """Say what was measured, and how often."""
    manifest = bundle.manifest
    return Settings(
        bundle=bundle.path.resolve().name,
        network=manifest.network.name,
        scale=manifest.network.scale,
        profile=manifest.profile,
        checkpoint=manifest.checkpoint.sha256,
        tile=manifest.tiling.size,
        overlap=manifest.tiling.overlap,
        inputs=digest_inputs(tile.tobytes(), pictures),
        tile_rounds=_TILE_ROUNDS * plan.repeats,
        picture_rounds=plan.repeats,
        data="scikit-image samples" if plan.data is None else plan.data.resolve().name,
        pictures=pictures,
    )


def _describe(candidate: Candidate) -> EngineFacts:
    engine, found = candidate.engine, candidate.agreement
    return EngineFacts(
        name=engine.name,
        accelerator_asked=engine.accelerator_asked,
        accelerator_used=engine.accelerator_used,
        golden=GoldenTiles(
            equal=found.equal,
            beyond_one=found.beyond_one,
            largest=found.largest,
            same_bit_width=found.same_bit_width,
            tiles=found.tiles,
            holds=found.holds,
        ),
    )
