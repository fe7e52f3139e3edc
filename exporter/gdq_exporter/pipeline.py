"""Checkpoint -> bundle: the one file that knows all stages; it reads like a recipe."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

import onnx_ir as ir

from gdq_core.bit_widths import BIT_WIDTHS
from gdq_core.errors import EngineError
from gdq_core.files.drafts import draft_folder
from gdq_core.files.text import write_text
from gdq_exporter.bundle_writer import bundle_output, list_files
from gdq_exporter.calibration import CalibrationSet, load_calibration
from gdq_exporter.checks.agreement import check_agreement, rounds_like
from gdq_exporter.checks.memory import is_measurable, measure_memory
from gdq_exporter.checks.parity import (
    ParityResult,
    TorchReference,
    check_decisions,
    check_width,
    make_pairs,
)
from gdq_exporter.checks.results import CheckResults
from gdq_exporter.checks.routing import check_routing, fitted_mean
from gdq_exporter.complexity import Macs, count_macs
from gdq_exporter.config import PROFILES, ExportConfig
from gdq_exporter.errors import ExportError
from gdq_exporter.golden import add_outputs, share_outputs, write_golden_tiles
from gdq_exporter.lowering import lower_shared, lower_width
from gdq_exporter.report import write_report
from gdq_exporter.request import check_request
from gdq_exporter.targets.base import Findings, Source, Target
from gdq_exporter.targets.graphs import write_graphs
from gdq_exporter.targets.registry import all_targets, get_target
from gdq_exporter.trace import trace
from gdq_exporter.trade_off.operating_points import find_flat_tiles, find_trade_off
from gdq_exporter.trade_off.pair_tiles import LARGEST_LOSS, describe_tiles
from gdq_exporter.trade_off.price_dial import count_flat_tiles, find_price_dial, sense_tiles
from gdq_exporter.trade_off.tile_errors import measure_losses, measure_tiles
from gdq_models import (
    LoadedCheckpoint,
    SuperResolutionNetwork,
    load_checkpoint,
)
from gdq_runtime.bundle.manifest import (
    MANIFEST_NAME,
    SCHEMA_VERSION,
    TWO_NETWORKS,
    Calibration,
    Checkpoint,
    FlatTiles,
    Format,
    GoldenTile,
    Manifest,
    Network,
    Predictor,
    SmallNetwork,
    Subgraph,
    Tiling,
    TradeOff,
)
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.base import Engine
from gdq_runtime.engines.registry import open_engine
from gdq_validate.agreement import Agreement

SMALL_FOLDER = "small"
"""Of a bundle of two networks: the small one's bundle."""

Progress = Callable[[str], None]
"""Called with a few words on what is being done now."""

_PARITY_PAIRS = 12
"""Tiles that are compared with torch. The loss of one at 4 bits scatters by 0.03 dB either way, so
fewer would make the bar a matter of luck."""
_TOOLS = ("granular-dq-mobile", "torch", "onnx", "onnx-ir", "onnxscript", "onnxruntime", "numpy")


@dataclass(frozen=True)
class ExportResult:
    """What an export made and what it checked."""

    bundle: Path
    manifest: Manifest
    checks: CheckResults
    seconds: float


def export(
    checkpoint: Path,
    bundle: Path,
    config: ExportConfig | None = None,
    progress: Progress = lambda _: None,
) -> ExportResult:
    """Turn a Granular-DQ checkpoint into a bundle; the bundle appears whole or not at all.

    Raises:
        CheckpointError: the checkpoint cannot be used.
        OutputError: the bundle exists, overlaps an input, or cannot be written.
        ExportError: the network or the calibration set cannot be used, or what was written does
            not pass its checks.
    """
    config = config or ExportConfig()
    _check_possible(config)
    check_request(checkpoint, bundle, config)
    start = time.monotonic()
    with draft_folder(bundle_output(bundle), overwrite=config.overwrite) as folder:
        manifest, checks = _fill(folder, checkpoint, config, progress)
    return ExportResult(bundle, manifest, checks, time.monotonic() - start)


def _fill(
    folder: Path, checkpoint: Path, config: ExportConfig, progress: Progress
) -> tuple[Manifest, CheckResults]:
    progress("loading the checkpoint")
    loaded = load_checkpoint(checkpoint, scale=config.scale, entropy_table=config.entropy_table)
    _check_tile(loaded.network, config.tile)
    _check_partner(loaded.network, config)
    calibration = load_calibration(config.calibration, config.tile, config.calibration_tiles)
    progress(f"tracing {loaded.network.name} x{loaded.network.scale}")
    traced = trace(loaded.network, config.tile)
    network = _describe_network(loaded.network, count_macs(traced))
    source = _lower(traced, loaded.network, calibration, config, progress)
    targets = _choose_targets(config, source, progress)
    progress("writing and checking the graphs")
    predictor, subgraphs = write_graphs(folder, source, targets)
    findings = _check_written(folder, targets, predictor, subgraphs, source)
    draft = _draft_manifest(
        folder, network, predictor, subgraphs, loaded, calibration, config, targets
    )
    unproved = _find_unproved(Bundle(folder, draft), targets)
    proved = [target for target in targets if target.name not in unproved]
    progress("comparing with torch")
    golden, parity, agreement = _prove(folder, draft, loaded.network, calibration, config, proved)
    progress("measuring what bits buy")
    fitted_fab = fitted_mean(loaded.network.predictor)
    trade_off, flat_tiles = _measure_trade_off(folder, draft, targets[0], config, fitted_fab)
    small = _add_small(folder, draft, targets[0], config, progress)
    memory = {}
    if config.measure_memory:
        progress("measuring memory")
        memory = measure_memory(Bundle(folder, draft), [target.engine for target in proved])
    routing = check_routing(loaded.network.predictor, trade_off, calibration.source)
    checks = CheckResults(findings, unproved, parity, agreement, memory, routing)
    known = {
        "golden": golden,
        "agreement": {target.name: list(target.bounds) for target in proved},
        "trade_off": trade_off,
        "flat_tiles": flat_tiles,
        "small": small,
        "schema_version": SCHEMA_VERSION if small is None else TWO_NETWORKS,
    }
    return _seal(folder, draft.model_copy(update=known), checks), checks


def _check_possible(config: ExportConfig) -> None:
    for target in all_targets():
        library = target.library
        if not _may_write(target.name, config) or library is None or find_spec(library.module):
            continue
        others = [name for name in get_args(Format) if name != target.name]
        raise ExportError(
            f"format {target.name!r} needs a package that is not installed: pip install "
            f"{library.package}, or choose --formats {','.join(others)}"
        )
    if config.measure_memory and not is_measurable():
        raise ExportError("memory can be measured on Linux only: leave out --measure-memory")


def _check_tile(network: SuperResolutionNetwork, tile: int) -> None:
    """Refuse tiles of a size to which the heads of statistics were not fitted."""
    rule = network.sensitivity_rule()
    if rule is not None and rule.heads.side != tile:
        raise ExportError(
            f"the predictor was fitted to tiles of {rule.heads.side} pixels, not {tile}: export "
            f"with --tile {rule.heads.side}, or fit it again by gdq-calibrate --tile {tile}"
        )


def _check_partner(network: SuperResolutionNetwork, config: ExportConfig) -> None:
    """Refuse a small network that tiles cannot be routed to, before anything is written."""
    if config.small is None:
        return
    small = load_checkpoint(config.small, scale=network.scale).network
    _check_tile(small, config.tile)
    if network.sensitivity_rule() is None or small.sensitivity_rule() is None:
        raise ExportError(
            "tiles are routed between two networks by predictors of statistics, which both need: "
            "fit them by gdq-calibrate --keep-steps --gate statistics"
        )
    if _count_parameters(small) >= _count_parameters(network):
        raise ExportError(f"{config.small} is not smaller: export it, with the other as the small")


def _count_parameters(network: SuperResolutionNetwork) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _may_write(graph_format: Format, config: ExportConfig) -> bool:
    return config.formats is None or graph_format in config.formats


def _lower(
    traced: ir.Model,
    network: SuperResolutionNetwork,
    calibration: CalibrationSet,
    config: ExportConfig,
    progress: Progress,
) -> Source:
    shared = lower_shared(traced, PROFILES[config.profile])
    lowered = []
    for bit_width in BIT_WIDTHS:
        progress(f"lowering to {bit_width} bits")
        lowered.append(lower_width(shared, bit_width, calibration.tiles))
    return Source(
        lowered,
        network.decision(),
        network.scale,
        calibration.tiles,
        onnx_embeds_weights=config.onnx_embed_weights,
    )


def _choose_targets(config: ExportConfig, source: Source, progress: Progress) -> list[Target]:
    """Return the formats asked for, or by default all that can express the network."""
    if config.formats is not None:
        return [get_target(name) for name in config.formats]
    chosen = []
    for target in all_targets():
        try:
            target.check_expressible(source)
        except ExportError as error:
            progress(f"leaving out format {target.name}: {error}")
        else:
            chosen.append(target)
    return chosen


def _describe_network(network: SuperResolutionNetwork, macs: Macs) -> Network:
    return Network(
        name=network.name,
        scale=network.scale,
        parameters=_count_parameters(network),
        quantized_macs_per_pixel=macs.quantized,
        float_macs_per_pixel=macs.floating,
    )


def _check_written(
    folder: Path,
    targets: Sequence[Target],
    predictor: Predictor,
    subgraphs: list[Subgraph],
    source: Source,
) -> Findings:
    """Run each target's own checks; sections of the report that no target fills stay empty."""
    findings: Findings = {section: {} for target in all_targets() for section in target.sections}
    for target in targets:
        findings |= target.check(folder, predictor, subgraphs, source)
    return findings


def _draft_manifest(
    folder: Path,
    network: Network,
    predictor: Predictor,
    subgraphs: list[Subgraph],
    loaded: LoadedCheckpoint,
    calibration: CalibrationSet,
    config: ExportConfig,
    targets: Sequence[Target],
) -> Manifest:
    """Return the manifest as far as it is known before the graphs are proved."""
    return Manifest(
        schema_version=SCHEMA_VERSION,
        formats=[target.name for target in targets],
        network=network,
        profile=config.profile,
        tiling=Tiling(size=config.tile, overlap=config.overlap),
        predictor=predictor,
        subgraphs=subgraphs,
        golden=[],
        agreement={},
        calibration=Calibration(
            source=calibration.source, images=calibration.images, tiles=len(calibration.tiles)
        ),
        checkpoint=Checkpoint(name=loaded.name, sha256=loaded.sha256),
        tools={
            tool: version(tool)
            for tool in (*_TOOLS, *(one.library.package for one in targets if one.library))
        },
        files=list_files(folder),
    )


def _find_unproved(bundle: Bundle, targets: Sequence[Target]) -> dict[Format, str]:
    """Return the formats that nothing on this machine can run, each with the reason.

    Not the first one, whose engine makes the golden tiles: an export without it fails.
    """
    unproved: dict[Format, str] = {}
    for target in targets[1:]:
        try:
            _open_engine(bundle, target).close()
        except EngineError as error:
            unproved[target.name] = str(error)
    return unproved


def _prove(
    folder: Path,
    draft: Manifest,
    network: SuperResolutionNetwork,
    calibration: CalibrationSet,
    config: ExportConfig,
    targets: Sequence[Target],
) -> tuple[list[GoldenTile], dict[str, ParityResult], list[Agreement]]:
    """Run the written graphs of some targets against torch, and against each other.

    The first target's engine makes the golden tiles; one that rounds in its own way adds outputs
    of its own.
    """
    bundle, bit_widths = Bundle(folder, draft), [graph.bit_width for graph in draft.subgraphs]
    pictures = load_calibration(config.calibration, config.tile * network.scale, _PARITY_PAIRS)
    reference = TorchReference(network, make_pairs(pictures.tiles, network.scale))
    golden: list[GoldenTile] = []
    parity, agreement = {}, []
    for number, target in enumerate(targets):
        with closing(_open_engine(bundle, target)) as engine:
            parity[engine.name] = ParityResult(
                tiles=len(calibration.tiles),
                undecided=check_decisions(network, engine, calibration.tiles),
                widths=tuple(check_width(reference, engine, width) for width in bit_widths),
            )
            if not golden:
                golden = write_golden_tiles(
                    folder,
                    target,
                    engine,
                    calibration.tiles,
                    has_statistics=draft.predictor.sensitivity is not None,
                )
                continue
            earlier = targets[:number]
            owner = next((one for one in earlier if rounds_like(one, target)), None)
            agreement.append(check_agreement(bundle, golden, engine, target, owner or targets[0]))
            if owner is None:
                golden = add_outputs(folder, golden, target, engine)
            else:
                golden = share_outputs(golden, owner, target)
    return golden, parity, agreement


def _open_engine(bundle: Bundle, target: Target) -> Engine:
    return open_engine(target.engine, bundle, bundle.manifest.tiling.size)


def _measure_trade_off(
    folder: Path, draft: Manifest, target: Target, config: ExportConfig, fitted_fab: float | None
) -> tuple[TradeOff, FlatTiles | None]:
    """Run every width on tiles with ground truth; find the dial and which tiles need no network."""
    scale = draft.network.scale
    photos = load_calibration(config.calibration, config.tile * scale, config.trade_off_tiles)
    pairs = make_pairs(photos.tiles, scale)
    with closing(_open_engine(Bundle(folder, draft), target)) as engine:
        bit_widths = [subgraph.bit_width for subgraph in draft.subgraphs]
        if draft.predictor.sensitivity is not None:
            losses = measure_losses(engine, bit_widths, pairs, photos.picture_of)
            sensed = sense_tiles(draft.predictor.sensitivity.rule(), losses, pairs)
            dial = find_price_dial(losses, sensed, fitted_fab)
            return dial, count_flat_tiles(losses, sensed)
        seen = measure_tiles(engine, bit_widths, pairs, photos.picture_of)
    return find_trade_off(seen), find_flat_tiles(seen)


def _add_small(
    folder: Path, draft: Manifest, target: Target, config: ExportConfig, progress: Progress
) -> SmallNetwork | None:
    """Write the small network as a bundle inside the bundle; measure tiles on both."""
    if config.small is None:
        return None
    place, scale = folder / SMALL_FOLDER, draft.network.scale
    place.mkdir()
    alone = replace(config, small=None, formats=tuple(draft.formats), scale=scale)
    manifest, _ = _fill(
        place, config.small, alone, lambda words: progress(f"small network: {words}")
    )
    progress("measuring what the large network buys")
    bundle = Bundle(folder, draft, Bundle(place, manifest))
    photos = load_calibration(config.calibration, config.tile * scale, config.trade_off_tiles)
    pairs = make_pairs(photos.tiles, scale)
    with closing(_open_engine(bundle, target)) as engine:
        losses = measure_losses(engine, bundle.routes, pairs, photos.picture_of)
    return SmallNetwork(
        folder=SMALL_FOLDER, loss_db=LARGEST_LOSS, tiles=describe_tiles(bundle, losses, pairs)
    )


def _seal(folder: Path, manifest: Manifest, checks: CheckResults) -> Manifest:
    """Write report and manifest, last of all files, and open the bundle as a user would."""
    write_report(folder, manifest, checks)
    sealed = manifest.model_copy(update={"files": list_files(folder)})
    write_text(folder / MANIFEST_NAME, sealed.model_dump_json(indent=1) + "\n")
    Bundle.open(folder)
    return sealed
