"""Times and memory of our commands, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gdq_bench.measure.clock import Times

_LAUNCHER = Path(__file__).with_name("launch.py")


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
    """Run one of our commands to its end.

    Args:
        command: name of an installed entry point, e.g. "gdq-export", and its arguments.

    Raises:
        RuntimeError: it fails; the message holds its last output.
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
    """Run a command ``rounds`` times after one run that does not count."""
    runs = [run_command(command) for _ in range(rounds + 1)][1:]
    return Times([run.wall for run in runs], [run.cpu for run in runs]), runs
