"""Checkpoint -> bundle: the one file that knows all stages. Read it as the recipe."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import get_args

from gdq_exporter.bundle_writer import MANIFEST, bundle_folder, check_target, list_files, write_text
from gdq_exporter.calibration import CalibrationSet, load_calibration
from gdq_exporter.checks.onnx_fusion import FusionResult, check_fusion
from gdq_exporter.checks.parity import ParityResult, check_decisions, check_width, make_pairs
from gdq_exporter.complexity import count_macs
from gdq_exporter.config import PROFILES, ExportConfig
from gdq_exporter.errors import ExportError
from gdq_exporter.golden import write_golden
from gdq_exporter.lowering import LoweredNetwork, lower_shared, lower_width
from gdq_exporter.report import write_report
from gdq_exporter.trace import trace
from gdq_exporter.writers.onnx.predictor import build_predictor
from gdq_exporter.writers.onnx.writer import OnnxWriter
from gdq_models import CheckpointError, LoadedCheckpoint, load_checkpoint
from gdq_runtime.bundle.manifest import (
    E2B,
    SCHEMA_VERSION,
    BitWidth,
    Calibration,
    Checkpoint,
    Manifest,
    Network,
    Predictor,
    Subgraph,
    Tiling,
)
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.ort import OrtEngine

Progress = Callable[[str], None]
"""Told, in a few words, what is being done now."""

_PARITY_PAIRS = 4
_TOOLS = ("granular-dq-mobile", "torch", "onnx", "onnx-ir", "onnxscript", "onnxruntime", "numpy")


@dataclass(frozen=True)
class ExportResult:
    """What an export made and what it checked."""

    bundle: Path
    manifest: Manifest
    fusion: dict[int, FusionResult]
    """Per bit-width."""
    parity: ParityResult
    seconds: float


def export(
    checkpoint: Path,
    bundle: Path,
    config: ExportConfig | None = None,
    progress: Progress = lambda _: None,
) -> ExportResult:
    """Turns a Granular-DQ checkpoint into a bundle; the bundle appears whole or not at all.

    Raises:
        ExportError: the checkpoint or the calibration set cannot be used, the target cannot be
            written or exists, or what was written does not pass its checks.
    """
    config = config or ExportConfig()
    start = time.monotonic()
    check_target(bundle, overwrite=config.overwrite)
    progress("loading the checkpoint")
    loaded = _load(checkpoint, config)
    calibration = load_calibration(config.calibration, config.tile, config.calibration_tiles)
    progress(f"tracing {loaded.network.name} x{loaded.network.scale}")
    traced = trace(loaded.network, config.tile)
    macs = count_macs(traced)
    shared = lower_shared(traced, PROFILES[config.profile])
    with bundle_folder(bundle, overwrite=config.overwrite) as folder:
        writer = OnnxWriter(folder)
        subgraphs, lowered = [], []
        for bit_width in get_args(BitWidth):
            progress(f"lowering to {bit_width} bits")
            network = lower_width(shared, bit_width, calibration.tiles)
            subgraphs.append(writer.write_subgraph(network, loaded.network.scale))
            lowered.append(network)
        predictor = _write_predictor(writer, loaded)
        writer.close()
        progress("checking the written graphs")
        fusion = _check_fusion(folder, subgraphs, lowered)
        manifest = Manifest(
            schema_version=SCHEMA_VERSION,
            network=Network(
                name=loaded.network.name,
                scale=loaded.network.scale,
                parameters=sum(p.numel() for p in loaded.network.parameters()),
                quantized_macs_per_pixel=macs.quantized,
                float_macs_per_pixel=macs.floating,
            ),
            profile=config.profile,
            tiling=Tiling(size=config.tile, overlap=config.overlap),
            predictor=predictor,
            subgraphs=subgraphs,
            golden=[],
            calibration=Calibration(
                source=calibration.source,
                images=calibration.images,
                tiles=len(calibration.tiles),
            ),
            checkpoint=Checkpoint(name=loaded.name, sha256=loaded.sha256),
            tools={name: version(name) for name in _TOOLS},
            files=list_files(folder),
        )
        parity, manifest = _prove(folder, manifest, loaded, calibration, config)
        write_report(folder, manifest, fusion, parity)
        manifest = manifest.model_copy(update={"files": list_files(folder)})
        write_text(folder / MANIFEST, manifest.model_dump_json(indent=1) + "\n")
        Bundle.open(folder)
    return ExportResult(bundle, manifest, fusion, parity, time.monotonic() - start)


def _load(checkpoint: Path, config: ExportConfig) -> LoadedCheckpoint:
    try:
        return load_checkpoint(checkpoint, scale=config.scale, entropy_table=config.entropy_table)
    except CheckpointError as error:
        raise ExportError(str(error)) from error


def _write_predictor(writer: OnnxWriter, loaded: LoadedCheckpoint) -> Predictor:
    parameters = loaded.network.predictor_parameters()
    spec = writer.write(build_predictor(parameters), "predictor")
    return Predictor(
        **spec.model_dump(),
        gate=parameters.gate,
        gate_bit_widths=list(parameters.gate_bit_widths),
        e2b=E2B(
            thresholds=[float(t) for t in parameters.e2b_thresholds],
            bit_widths=list(parameters.e2b_bit_widths),
        ),
    )


def _check_fusion(
    folder: Path, subgraphs: list[Subgraph], lowered: list[LoweredNetwork]
) -> dict[int, FusionResult]:
    return {
        subgraph.bit_width: check_fusion(folder / subgraph.onnx, network.model)
        for subgraph, network in zip(subgraphs, lowered, strict=True)
    }


def _prove(
    folder: Path,
    manifest: Manifest,
    loaded: LoadedCheckpoint,
    calibration: CalibrationSet,
    config: ExportConfig,
) -> tuple[ParityResult, Manifest]:
    """Runs the written bundle against torch, then stores golden tiles of what was proved."""
    network = loaded.network
    pictures = load_calibration(config.calibration, config.tile * network.scale, _PARITY_PAIRS)
    pairs = make_pairs(pictures.tiles, network.scale)
    engine = OrtEngine(Bundle(folder, manifest), config.tile)
    try:
        undecided = check_decisions(network, engine, calibration.tiles)
        widths = tuple(
            check_width(network, engine, subgraph.bit_width, pairs)
            for subgraph in manifest.subgraphs
        )
        bit_widths = [subgraph.bit_width for subgraph in manifest.subgraphs]
        golden = write_golden(folder, engine, bit_widths, calibration.tiles)
    finally:
        engine.close()
    parity = ParityResult(len(calibration.tiles), undecided, widths)
    return parity, manifest.model_copy(update={"golden": golden})
