"""What a second pinned worker brings."""

from __future__ import annotations

from contextlib import ExitStack

from gdq_bench.measure.clock import interleave, ratio
from gdq_bench.measure.machine import pinned, processors
from gdq_bench.measure.sample_picture import mosaic
from gdq_bench.protocol import Result
from gdq_bench.suite.results import facts_of
from gdq_bench.suite.subjects import Subjects
from gdq_runtime import Upscaler


def measure(subjects: Subjects) -> list[Result]:
    """Upscale one array with one worker and with two, in turn; none on a single processor."""
    if len(processors()) < 2:
        return []
    photo = mosaic(276, 186) if subjects.quick else mosaic(1152, 864)
    with pinned(2), ExitStack() as stack:
        one, two = (
            stack.enter_context(Upscaler.open(subjects.bundle, threads=threads))
            for threads in (1, 2)
        )
        times = interleave({"one": lambda: one(photo), "two": lambda: two(photo)}, subjects.rounds)
    facts = facts_of("one worker", times["one"]) | facts_of("two workers", times["two"])
    speedup = ratio(times["one"], times["two"]).median
    return [
        Result(name="two workers", value=speedup, unit="ratio", bar=1.8, at_least=True, facts=facts)
    ]
