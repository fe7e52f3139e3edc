"""How long an export takes, as a user types it."""

from __future__ import annotations

from statistics import median

from gdq_bench.measure.commands import run_commands
from gdq_bench.protocol import Result
from gdq_bench.suite.results import facts_of
from gdq_bench.suite.subjects import Subjects


def measure(subjects: Subjects) -> list[Result]:
    """Run ``gdq-export`` on the checkpoint."""
    target = subjects.folder / "exported"
    command = ("gdq-export", subjects.checkpoint, "-o", target, "--overwrite")
    times, _ = run_commands(command, rounds=min(subjects.rounds, 3))
    return [
        Result(
            name="export",
            value=median(times.wall),
            unit="s",
            bar=30,
            facts=facts_of("gdq-export", times),
        )
    ]
