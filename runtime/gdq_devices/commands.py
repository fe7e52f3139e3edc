"""Runs a command of the system; a failure becomes one error that shows what the command said."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from gdq_devices.errors import SetupError

_SHOWN = 2000
"""Last characters of a failed command's output that are shown."""


def run_command(command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> str:
    """Run a command to its end and return its standard output.

    Args:
        command: program and arguments.
        environment: all its variables; None for those here.

    Raises:
        SetupError: it cannot be started, or its exit code is not 0.

    """
    try:
        finished = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            env=environment,
        )  # fmt: skip
    except OSError as error:
        raise SetupError(f"cannot start {command[0]}: {error.strerror}") from error
    if finished.returncode != 0:
        output = (finished.stdout + finished.stderr).strip()[-_SHOWN:]
        raise SetupError(f"{command[0]} ended with {finished.returncode}:\n{output}")
    return finished.stdout
