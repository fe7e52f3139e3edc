"""How long a command takes to answer, from nothing."""

from __future__ import annotations

from statistics import median

from gdq_bench.measure.commands import run_commands
from gdq_bench.measure.machine import pinned
from gdq_bench.protocol import Result
from gdq_bench.suite.results import facts_of
from gdq_bench.suite.subjects import Subjects


def measure(subjects: Subjects) -> list[Result]:
    """Run ``gdq-upscale --help``, then a picture of one tile, start to end, on one processor."""
    picture = subjects.photo(96 * 96 / 1e6, width=96)
    target = subjects.folder / "tile.png"
    command = ("gdq-upscale", picture, "-b", subjects.bundle, "-o", target, "--overwrite")
    rounds = 2 * subjects.rounds + 1
    with pinned(1):
        helping, _ = run_commands(("gdq-upscale", "--help"), rounds)
        upscaling, _ = run_commands(command, rounds)
    return [
        Result(
            name="gdq-upscale --help",
            value=median(helping.wall),
            unit="s",
            bar=0.3,
            facts=facts_of("--help", helping),
        ),
        Result(
            name="first tile",
            value=median(upscaling.wall),
            unit="s",
            bar=1.5,
            facts=facts_of("one tile", upscaling),
        ),
    ]
