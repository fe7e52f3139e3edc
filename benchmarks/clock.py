"""Times of functions and of commands: wall clock and processor time, side by side."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Literal

_LAUNCHER = Path(__file__).with_name("launch.py")


@dataclass(frozen=True)
class Times:
    """Seconds of every round.

    Attributes:
        wall: what passed.
        cpu: what the process had of all processors; hardly disturbed by other programs.
    """

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def facts(self, name: str) -> dict[str, float | int | str]:
        """Medians and extremes under a name."""
        return {
            f"{name}: wall, s": round(median(self.wall), 4),
            f"{name}: wall from to, s": f"{min(self.wall):.4f} to {max(self.wall):.4f}",
            f"{name}: cpu, s": round(median(self.cpu), 4),
        }


def interleave(functions: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Times]:
    """Runs all functions in turn, ``rounds`` times, after one round that does not count.

    In turn, so that a machine that slows down slows all of them down.
    """
    times = {name: Times() for name in functions}
    for number in range(rounds + 1):
        for name, function in functions.items():
            wall, cpu = time.perf_counter(), time.process_time()
            function()
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            if number:
                times[name].wall.append(wall)
                times[name].cpu.append(cpu)
    return times


def ratio(numerator: Times, denominator: Times, clock: Literal["wall", "cpu"] = "wall") -> float:
    """Median of the rounds' ratios: each round is compared with itself."""
    ours, theirs = (
        times.wall if clock == "wall" else times.cpu for times in (numerator, denominator)
    )
    return median(a / b for a, b in zip(ours, theirs, strict=True))


@dataclass(frozen=True)
class CommandRun:
    """One run of a command.

    Attributes:
        wall: seconds from start to end.
        cpu: seconds of processor time.
        peak_memory: largest resident set, bytes.
        output: what it printed.
    """

    wall: float
    cpu: float
    peak_memory: int
    output: str


def run_command(command: Sequence[str | Path]) -> CommandRun:
    """Runs one of our commands to its end, in a process of its own.

    Args:
        command: name of an installed entry point, e.g. "gdq-export", and its arguments.

    Raises:
        RuntimeError: it fails; with what it said.
    """
    program = Path(sys.executable).with_name(str(command[0]))
    arguments = [str(program), *map(str, command[1:])]
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(_LAUNCHER), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: {done.stderr.strip()[-500:]}")
    output, _, usage = done.stdout.rstrip("\n").rpartition("\n")
    return CommandRun(output=output, **json.loads(usage))


def run_commands(command: Sequence[str | Path], rounds: int) -> tuple[Times, list[CommandRun]]:
    """Runs a command ``rounds`` times after one run that does not count."""
    runs = [run_command(command) for _ in range(rounds + 1)][1:]
    return Times([run.wall for run in runs], [run.cpu for run in runs]), runs
