"""Everything but the engine: decoding, tiling, predicting, stitching, encoding, Python itself."""

from __future__ import annotations

import time
from statistics import median

from gdq_bench.measure.machine import pinned
from gdq_bench.protocol import Facts, Result
from gdq_bench.suite.subjects import Subjects
from gdq_runtime import Upscaler
from gdq_runtime.timings import StageTime, Timings

_STAGES = ("decode", "cut", "predict", "stitch", "encode")


def measure(subjects: Subjects) -> list[Result]:
    """Upscale a file of 2 megapixels with one thread; all processor time of the process counts.

    The share is what the process used beyond the engine's own runs, so it holds what no stage
    counts, such as the queue between threads.
    """
    picture = subjects.photo(0.02 if subjects.quick else 2)
    target = subjects.folder / "upscaled.png"
    shares, seen = [], []
    with pinned(1), Upscaler.open(subjects.bundle, threads=1) as upscaler:
        for number in range(min(subjects.rounds, 3) + 1):
            start = time.process_time()
            result = upscaler.upscale_file(picture, target, overwrite=True)
            whole = time.process_time() - start
            if number:  # the first run creates the sessions
                shares.append(100 * (1 - result.timings.run.cpu / whole))
                seen.append(result.timings)
    facts: Facts = {"tiles": result.plan.count, "FAB": round(result.fab, 3)}
    facts |= {f"{stage}: cpu, s": _median_cpu(seen, stage) for stage in ("run", *_STAGES)}
    facts["elapsed, s"] = round(median(timings.elapsed for timings in seen), 3)
    return [
        Result(name="everything but the engine", value=median(shares), unit="%", bar=5, facts=facts)
    ]


def _median_cpu(seen: list[Timings], stage: str) -> float:
    times: list[StageTime] = [getattr(timings, stage) for timings in seen]
    return round(median(stage_time.cpu for stage_time in times), 4)
