"""One tile at every bit-width on every engine."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from gdq_bench.measure.candidates import Candidate
from gdq_bench.measure.clock import Times, interleave, ratio
from gdq_bench.measure.machine import pinned
from gdq_bench.measure.statistics import spread_of
from gdq_bench.protocol import BASELINE_BITS, BASELINE_ENGINE, TileTimes, list_rounds
from gdq_runtime.tile_runner import Progress

_Key = tuple[str, int]
"""Engine and bit-width."""


def measure_tiles(
    candidates: Sequence[Candidate], tile: NDArray[np.uint8], rounds: int, progress: Progress
) -> list[TileTimes]:
    """Time a (size, size, 3) tile on one processor, from array to array."""
    runs = {
        (candidate.engine.name, width): partial(candidate.engine.run, width, tile)
        for candidate in candidates
        for width in candidate.widths
    }
    with pinned(1):
        times = interleave(runs, rounds, progress=progress)
    return summarise_tiles(times)


def summarise_tiles(times: dict[_Key, Times]) -> list[TileTimes]:
    """Compare each with the baseline, if that is among them."""
    baseline = times.get((BASELINE_ENGINE, BASELINE_BITS))
    return [
        TileTimes(
            engine=engine,
            bits=bits,
            rounds=list_rounds(measured.wall, measured.cpu),
            wall=spread_of(measured.wall),
            cpu=spread_of(measured.cpu),
            ratio=None if baseline is None else ratio(measured, baseline, "cpu"),
        )
        for (engine, bits), measured in times.items()
    ]
