"""Times of functions that run in turn: wall clock and processor time, side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from gdq_bench.measure.statistics import Spread, spread_of

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")

Clock = Literal["wall", "cpu"]


@dataclass(frozen=True)
class Times:
    """Seconds of every round.

    Attributes:
        wall: wall time.
        cpu: processor time of the process; hardly disturbed by other programs.

    """

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def interleave(
    functions: Mapping[Key, Callable[[], Answer]],
    rounds: int,
    *,
    warm_up: Callable[[Key, Answer], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[Key, Times]:
    """Run all functions in turn, ``rounds`` times, after one round that does not count.

    In turn, so that a machine that slows down slows all of them down.

    Args:
        functions: what to time, by name.
        rounds: how many count.
        warm_up: called with each function's result in the round that does not count.
        progress: called after each round with the number of rounds done and the total.

    """
    times = {name: Times() for name in functions}
    for number in range(rounds + 1):
        for name, function in functions.items():
            wall, cpu = time.perf_counter(), time.process_time()
            answer = function()
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            if number:
                times[name].wall.append(wall)
                times[name].cpu.append(cpu)
            elif warm_up is not None:
                warm_up(name, answer)
        if progress is not None:
            progress(number + 1, rounds + 1)
    return times


def add_up(parts: Sequence[Times]) -> Times:
    """Sum what was measured one after the other, round by round."""
    return Times(
        [sum(walls) for walls in zip(*(part.wall for part in parts), strict=True)],
        [sum(cpus) for cpus in zip(*(part.cpu for part in parts), strict=True)],
    )


def ratio(numerator: Times, denominator: Times, clock: Clock = "wall") -> Spread:
    """Return the spread of the rounds' ratios: each round is compared with itself."""
    ours, theirs = (
        times.wall if clock == "wall" else times.cpu for times in (numerator, denominator)
    )
    return spread_of([a / b for a, b in zip(ours, theirs, strict=True)])
