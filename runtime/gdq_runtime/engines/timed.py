"""Any engine, its tiles timed: what bits really buy is measured, not believed."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.base import Engine, Prediction
from gdq_runtime.engines.forks import CALLS
from gdq_runtime.engines.registry import default_engine, open_engine

_EQUAL_WITHIN = 0.15
"""Share by which times differ on a busy machine although the work is the same."""
_FEWEST_TILES = 3
"""Of a bit-width, before its time counts."""
_SHORTEST = 1e-3
"""Seconds; below, what surrounds the kernels is most of the time."""


@dataclass(frozen=True)
class EngineReport:
    """What an engine ran on and how long its tiles took.

    Attributes:
        name: of the engine.
        accelerator_asked: what it was told to run on.
        accelerator_used: what it really ran on.
        seconds_per_tile: bit-width -> median of the seconds that its tiles took.
        fallback_reason: why the default is not the fastest engine, in a sentence; None if it is,
            or if the engine was named.

    """

    name: str
    accelerator_asked: str
    accelerator_used: str
    seconds_per_tile: dict[int, float]
    fallback_reason: str | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what a user would not expect."""
        notes = [] if self.fallback_reason is None else [self.fallback_reason]
        if self.accelerator_used.partition(", ")[0] != self.accelerator_asked:
            notes.append(
                f"engine {self.name!r} was asked to run on {self.accelerator_asked} and runs on "
                f"{self.accelerator_used}"
            )
        if self._is_one_speed():
            times = ", ".join(
                f"{1000 * seconds:.3g} ms at {width}"
                for width, seconds in self.seconds_per_tile.items()
            )
            notes.append(
                f"engine {self.name!r} runs all bit-widths at one speed here (a tile takes {times} "
                "bits): fewer bits save no time"
            )
        return tuple(notes)

    def _is_one_speed(self) -> bool:
        times = self.seconds_per_tile.values()
        return (
            len(times) > 1
            and min(times) >= _SHORTEST
            and max(times) <= (1 + _EQUAL_WITHIN) * min(times)
        )


class TimedEngine:
    """An engine that keeps the times of what it is given to run; safe in threads as that is."""

    def __init__(self, engine: Engine, fallback_reason: str | None = None) -> None:
        """Keep the times of an engine.

        Args:
            engine: does the work.
            fallback_reason: why it is not the fastest one, for the report.

        """
        self._engine = engine
        self._fallback_reason = fallback_reason
        self._lock = threading.Lock()
        self._seconds: defaultdict[int, list[float]] = defaultdict(list)

    @property
    def name(self) -> str:
        """See ``Engine.name``."""
        return self._engine.name

    @property
    def accelerator_asked(self) -> str:
        """See ``Engine.accelerator_asked``."""
        return self._engine.accelerator_asked

    @property
    def accelerator_used(self) -> str:
        """See ``Engine.accelerator_used``."""
        return self._engine.accelerator_used

    def predict(self, tile: NDArray[np.uint8]) -> Prediction:
        """See ``Engine.predict``."""
        with CALLS.one():
            return self._engine.predict(tile)

    def run(self, bit_width: int, tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See ``Engine.run``; its time is kept."""
        with CALLS.one():
            start = time.perf_counter()
            picture = self._engine.run(bit_width, tile)
            with self._lock:
                self._seconds[bit_width].append(time.perf_counter() - start)
        return picture

    def close(self) -> None:
        """See ``Engine.close``."""
        self._engine.close()

    def report(self) -> EngineReport:
        """Tell what is known so far; bit-widths that ran on too few tiles are left out.

        Raises:
            EngineError: the engine cannot be asked what it runs on.

        """
        with self._lock:
            seconds = {
                width: median(times)
                for width, times in sorted(self._seconds.items())
                if len(times) >= _FEWEST_TILES
            }
        return EngineReport(
            self.name,
            self.accelerator_asked,
            self.accelerator_used,
            seconds,
            self._fallback_reason,
        )


def open_timed_engine(name: str | None, bundle: Bundle, tile_size: int | None) -> TimedEngine:
    """Open an engine by name, or for None the default one.

    Arguments and errors are those of ``open_engine``.
    """
    if name is not None:
        return TimedEngine(open_engine(name, bundle, tile_size))
    name, fallback_reason = default_engine(bundle)
    return TimedEngine(open_engine(name, bundle, tile_size), fallback_reason)
