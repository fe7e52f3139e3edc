"""Whole pictures through the runtime's own pipeline, in every way that is compared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from statistics import mean

import numpy as np
from numpy.typing import NDArray

from gdq_bench.measure.candidates import Candidate
from gdq_bench.measure.clock import Times, add_up, interleave, ratio
from gdq_bench.measure.machine import pinned, processors
from gdq_bench.measure.statistics import spread_of
from gdq_bench.protocol import (
    BASELINE_BITS,
    BASELINE_ENGINE,
    PictureSize,
    PictureTimes,
    list_rounds,
)
from gdq_core.bit_widths import FLOAT
from gdq_core.fidelity import psnr
from gdq_core.pictures.rows import ArraySink, ArraySource
from gdq_runtime.bit_map import compute_fab, compute_network_fab
from gdq_runtime.bundle.manifest import Manifest
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.base import Engine
from gdq_runtime.routing.request import Request
from gdq_runtime.routing.router import Router
from gdq_runtime.tile_runner import Progress, TileRunner
from gdq_runtime.tiles.tiling import TilePlan
from gdq_runtime.tiles.workers import Workers
from gdq_runtime.timings import Stopwatch
from gdq_validate.ground_truth import GroundTruth
from gdq_validate.report import CEILING

Picture = NDArray[np.uint8]
_Upscaled = tuple[Picture, NDArray[np.uint8]]
"""Picture and bit map."""


@dataclass(frozen=True)
class Way:
    """One way to upscale a picture.

    Attributes:
        engine: name.
        bits: of all tiles, or None for the predictor's choice.
        workers: threads, each pinned to a processor of its own.

    """

    engine: str
    bits: int | None
    workers: int = 1


@dataclass(frozen=True)
class Seen:
    """Figures of one upscaled picture.

    Attributes:
        fab: mean bits, interpolated tiles 0.
        network_fab: mean bits without interpolated tiles.
        psnr_y: against the ground truth, dB.
        tiles: number of them.

    """

    fab: float
    network_fab: float
    psnr_y: float
    tiles: int


def measure_pictures(
    bundle: Bundle,
    candidates: Sequence[Candidate],
    truths: Sequence[GroundTruth],
    rounds: int,
    progress: Progress,
    fixed: Collection[int] | None = None,
) -> tuple[list[PictureSize], list[PictureTimes]]:
    """Upscale one picture after the other, each in all ways in turn, ``rounds`` times.

    A picture is judged in the round that does not count; only one is in memory.

    Args:
        bundle: that is run.
        candidates: the engines.
        truths: the pictures.
        rounds: how many count.
        progress: told after each round.
        fixed: widths that all tiles get, of engines that take part with them; None for the
            smallest, the largest and float.

    Raises:
        ImageError: a picture cannot be read or is too small.
        EngineError: an engine refuses a graph.

    """
    parts: defaultdict[Way, list[Times]] = defaultdict(list)
    seen: defaultdict[Way, list[Seen]] = defaultdict(list)
    sizes = []
    with ExitStack() as stack:
        crews = {count: _hire(stack, count) for count in _worker_counts()}
        for number, truth in enumerate(truths):
            low, high = truth.load()
            sizes.append(PictureSize(name=truth.name, width=high.shape[1], height=high.shape[0]))
            runs = {
                way: partial(_upscale, bundle.manifest, engine, crews[way.workers], router, low)
                for way, engine, router in _list_ways(bundle, candidates, list(crews), fixed)
            }
            times = interleave(
                runs,
                rounds,
                warm_up=partial(_judge, seen, high, truth.scale),
                progress=partial(_report, progress, number, len(truths)),
            )
            for way, measured in times.items():
                parts[way].append(measured)
    summed = {way: add_up(measured) for way, measured in parts.items()}
    return sizes, summarise_pictures(summed, seen, sizes)


def summarise_pictures(
    times: dict[Way, Times], seen: dict[Way, list[Seen]], sizes: Sequence[PictureSize]
) -> list[PictureTimes]:
    """Average over pictures; compare with the baseline and with one worker."""
    baseline = times.get(Way(BASELINE_ENGINE, BASELINE_BITS))
    megapixels = sum(size.width * size.height for size in sizes) / 1e6
    summaries = []
    quality = {way: mean(figures.psnr_y for figures in seen[way]) for way in times}
    for way, measured in times.items():
        wall, cpu = spread_of(measured.wall), spread_of(measured.cpu)
        best = quality.get(Way(way.engine, BASELINE_BITS))
        one = times[Way(way.engine, way.bits)]
        summaries.append(
            PictureTimes(
                engine=way.engine,
                bits=way.bits,
                rounds=list_rounds(measured.wall, measured.cpu),
                workers=way.workers,
                wall=wall,
                cpu=cpu,
                ratio=None if baseline is None else ratio(measured, baseline, "cpu"),
                megapixels_per_second=megapixels / wall.median,
                fab=mean(figures.fab for figures in seen[way]),
                network_fab=mean(figures.network_fab for figures in seen[way]),
                psnr_y=quality[way],
                loss_db=None if best is None else best - quality[way],
                milliseconds_per_tile=1000 * cpu.median / sum(one.tiles for one in seen[way]),
                speedup=None if way.workers == 1 else ratio(one, measured),
            )
        )
    return summaries


def _worker_counts() -> list[int]:
    return [1, 2] if len(processors()) > 1 else [1]


def _hire(stack: ExitStack, count: int) -> Workers:
    """Start workers that stay on the first processors."""
    with pinned(count):
        return stack.enter_context(closing(Workers(count)))


def _list_ways(
    bundle: Bundle,
    candidates: Sequence[Candidate],
    worker_counts: Sequence[int],
    fixed: Collection[int] | None,
) -> list[tuple[Way, Engine, Router]]:
    """Routed with every number of workers; all tiles at fixed widths with one."""
    if fixed is None:
        fixed = {bundle.bit_widths[0], bundle.bit_widths[-1], FLOAT}
    routed = Router.create(bundle, Request())
    ways: list[tuple[Way, Engine, Router]] = []
    for candidate in candidates:
        engine = candidate.engine
        ways += [(Way(engine.name, None, count), engine, routed) for count in worker_counts]
        for bits in sorted(set(fixed).intersection(candidate.widths)):
            forced = Router(candidate.widths, forced=bits)
            ways.append((Way(engine.name, bits), engine, forced))
    return ways


def _upscale(
    manifest: Manifest, engine: Engine, workers: Workers, router: Router, low: Picture
) -> _Upscaled:
    scale, tiling = manifest.network.scale, manifest.tiling
    plan = TilePlan(low.shape[1], low.shape[0], tiling.size, tiling.overlap)
    sink = ArraySink(plan.height * scale, plan.width * scale, 3)
    runner = TileRunner(engine, workers, router, scale, Stopwatch(), None)
    # The calling thread cuts and stitches: it stays where the workers are.
    with pinned(workers.threads):
        bit_map = runner.run(ArraySource(low), sink, plan)
    return sink.image, bit_map


def _judge(
    seen: defaultdict[Way, list[Seen]], high: Picture, scale: int, way: Way, made: _Upscaled
) -> None:
    image, bit_map = made
    fidelity = min(psnr(image, high, scale), CEILING)
    fab, network_fab = compute_fab(bit_map), compute_network_fab(bit_map)
    seen[way].append(Seen(fab, network_fab, fidelity, bit_map.size))


def _report(
    progress: Callable[[int, int], None], number: int, pictures: int, done: int, rounds: int
) -> None:
    progress(number * rounds + done, pictures * rounds)
