"""What a phone printed as the rows of a result."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeVar

from gdq_bench.measure.clock import Times, ratio
from gdq_bench.measure.statistics import spread_of
from gdq_bench.native.lines import EngineLine, GoldenLine, JudgedLine
from gdq_bench.protocol import (
    BASELINE_BITS,
    BASELINE_ENGINE,
    Cluster,
    EngineFacts,
    GoldenTiles,
    Graph,
    PictureTimes,
    TileTimes,
    list_rounds,
)
from gdq_bench.report.reasons import Held
from gdq_bench.targets.phone.inputs import PhoneInputs
from gdq_bench.targets.phone.journal import Batch, Journal, Part
from gdq_runtime.bundle.manifest import Manifest

Kind = TypeVar("Kind", EngineLine, GoldenLine, JudgedLine)
_Way = tuple[str, "int | None", int]
"""Engine, bits, workers."""
_Decisions = Sequence["int | list[int]"]
"""What the predictor says of each tile: a bit-width, or three sensitivities."""


def select(batches: Iterable[Batch], kind: type[Kind]) -> list[Kind]:
    """Return all lines of a kind, in order."""
    return [line for batch in batches for line in batch.read() if isinstance(line, kind)]


def summarise_tiles(journal: Journal, clusters: Sequence[Cluster]) -> list[TileTimes]:
    """Make a row of each engine and width on each cluster."""
    rows = []
    for cluster in clusters:
        times = _collect(journal, cluster.name, "tiles")
        baseline = times.get((BASELINE_ENGINE, BASELINE_BITS, 1))
        rows += [
            TileTimes(
                cluster=cluster.name,
                engine=engine,
                bits=bits,
                rounds=list_rounds(measured.wall, measured.cpu),
                wall=spread_of(measured.wall),
                cpu=spread_of(measured.cpu),
                ratio=None if baseline is None else ratio(measured, baseline, "cpu"),
            )
            for (engine, bits, _), measured in times.items()
        ]
    return rows


def summarise_pictures(
    journal: Journal, clusters: Sequence[Cluster], inputs: PhoneInputs
) -> list[PictureTimes]:
    """Make a row of each engine, way and number of workers on each cluster."""
    megapixels = inputs.picture.width * inputs.picture.height / 1e6
    rows = []
    for cluster in clusters:
        times = _collect(journal, cluster.name, "pictures")
        baseline = times.get((BASELINE_ENGINE, BASELINE_BITS, 1))
        for (engine, bits, workers), measured in times.items():
            wall, cpu = spread_of(measured.wall), spread_of(measured.cpu)
            one = times.get((engine, bits, 1))
            fab, network_fab = inputs.fab(bits)
            rows.append(
                PictureTimes(
                    cluster=cluster.name,
                    engine=engine,
                    bits=bits,
                    rounds=list_rounds(measured.wall, measured.cpu),
                    workers=workers,
                    wall=wall,
                    cpu=cpu,
                    ratio=None if baseline is None else ratio(measured, baseline, "cpu"),
                    megapixels_per_second=megapixels / wall.median,
                    fab=fab,
                    network_fab=network_fab,
                    psnr_y=None,
                    loss_db=None,
                    milliseconds_per_tile=1000 * cpu.median / inputs.bit_map.size,
                    speedup=None if workers == 1 or one is None else ratio(one, measured),
                )
            )
    return rows


def _collect(journal: Journal, cluster: str, part: Part) -> dict[_Way, Times]:
    """Put the complete rounds of all batches together."""
    times: dict[_Way, Times] = {}
    for batch in journal.select(cluster, part):
        for line in batch.rounds():
            measured = times.setdefault((line.engine, line.bits, line.workers), Times())
            measured.wall.append(line.wall_ns / 1e9)
            measured.cpu.append(line.cpu_ns / 1e9)
    return times


def summarise_engines(journal: Journal, manifest: Manifest) -> list[EngineFacts]:
    """Say what each engine is and how far it is from the golden tiles, at worst."""
    expected: list[int | list[int]] = [
        tile.bit_width or 0 if tile.sensitivity is None else tile.sensitivity
        for tile in manifest.golden
    ]
    found: dict[str, EngineFacts] = {}
    for batch in journal.batches:
        engines = {line.engine: line for line in select([batch], EngineLine)}
        golden = select([batch], GoldenLine)
        for judged in select([batch], JudgedLine):
            facts = _describe_engine(engines[judged.engine], golden, judged, expected)
            if judged.engine not in found or not facts.golden.holds:
                found[judged.engine] = facts
    return list(found.values())


def _describe_engine(
    engine: EngineLine, golden: Sequence[GoldenLine], judged: JudgedLine, expected: _Decisions
) -> EngineFacts:
    counts: defaultdict[int, int] = defaultdict(int)
    for line in golden:
        if line.engine == engine.engine:
            for apart, samples in (line.differences or {}).items():
                counts[apart] += samples
    samples = sum(counts.values()) or 1
    decided: _Decisions | None = judged.sensitivities or judged.bit_widths
    # A peer runs tiles alone: their widths are decided by our engine's predictor.
    same = len(expected)
    if decided is not None:
        same = sum(one == other for one, other in zip(decided, expected, strict=False))
    return EngineFacts(
        name=engine.engine,
        accelerator_asked=engine.accelerator_asked,
        accelerator_used=engine.accelerator_used + (f", {engine.isa}" if engine.isa else ""),
        golden=GoldenTiles(
            equal=counts[0] / samples,
            beyond_one=sum(n for apart, n in counts.items() if apart > 1) / samples,
            largest=max((apart for apart, n in counts.items() if n), default=0),
            same_bit_width=same,
            tiles=len(expected),
            holds=judged.holds and same == len(expected),
        ),
        graphs=[
            Graph(
                bits=one.bits,
                nodes=one.nodes,
                accelerated_nodes=one.accelerated_nodes,
                partitions=one.partitions,
            )
            for one in engine.graphs
            if one.kernel is None  # a peer's
        ],
    )


def find_held(journal: Journal, clusters: Sequence[Cluster]) -> list[Held]:
    """Say where the rounds of each cluster ran."""
    held = []
    for cluster in clusters:
        batches = [batch for batch in journal.batches if batch.cluster == cluster.name]
        rounds = [line for batch in batches for line in batch.rounds()]
        held.append(
            Held(
                cluster=cluster,
                cores=frozenset(
                    core for line in rounds for core in (*line.cores_before, *line.cores_after)
                ),
                migrated=sum(line.cores_before != line.cores_after for line in rounds),
                frequencies=[khz for line in rounds for khz in line.khz if khz],
            )
        )
    return held
