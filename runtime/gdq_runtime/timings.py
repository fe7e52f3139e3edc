"""Measure where the time goes, stage by stage."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class StageTime:
    """Time of one stage, summed over all threads that worked on it.

    Attributes:
        wall: wall time in seconds.
        cpu: processor time in seconds.

    """

    wall: float = 0.0
    cpu: float = 0.0


@dataclass(frozen=True)
class Timings:
    """Time of each stage of one picture, and of all stages together.

    Attributes:
        decode: from file to rows.
        cut: from rows to contiguous tiles, with padding.
        predict: predictor and routing.
        run: the network at the chosen bit-widths, and interpolation: the actual work.
        stitch: from tiles to rows of output, with transparency.
        encode: from rows to file.
        elapsed: wall time in seconds, from beginning to end.

    """

    decode: StageTime
    cut: StageTime
    predict: StageTime
    run: StageTime
    stitch: StageTime
    encode: StageTime
    elapsed: float


class Stopwatch:
    """Collect the times of stages from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stages: defaultdict[str, StageTime] = defaultdict(StageTime)
        self._start = time.perf_counter()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of a block to a stage, as measured in the thread that runs it."""
        wall, cpu = time.perf_counter(), time.thread_time()
        try:
            yield
        finally:
            wall, cpu = time.perf_counter() - wall, time.thread_time() - cpu
            with self._lock:
                before = self._stages[name]
                self._stages[name] = StageTime(before.wall + wall, before.cpu + cpu)

    def read(self) -> Timings:
        """Return the times collected so far."""
        with self._lock:
            stages = {
                name: self._stages[name]
                for name in ("decode", "cut", "predict", "run", "stitch", "encode")
            }
        return Timings(**stages, elapsed=time.perf_counter() - self._start)
