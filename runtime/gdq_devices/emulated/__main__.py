"""``python -m gdq_devices.emulated``: set up an ARM64 Python in a folder, or say why not."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from gdq_core.cli.command import Command
from gdq_core.cli.errors import ExitCode, print_result, say, say_error
from gdq_devices.emulated.machine import FOLDER, Machine
from gdq_devices.emulated.setup import set_up
from gdq_devices.errors import SetupError, UnavailableError

CONSTRAINTS = Path(__file__).resolve().parents[3] / "constraints.txt"
SKIPPED = 77
"""Exit code, by automake's convention, of a check that cannot be made here."""


@click.command(cls=Command)
@click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), default=FOLDER,
    help="Folder that holds all of it.  [default: build/arm64]",
)  # fmt: skip
def main(folder: Path) -> None:
    """Set up an ARM64 Python, run by qemu; parts that are already there are kept.

    Exit code 0: it is there. 77: it is not available on this machine, and the reason is printed; in
    CI (CI=true), which must not pass without it, that is 1. 1: setting it up failed.
    """
    try:
        set_up(Machine(folder.resolve()), CONSTRAINTS, lambda line: say(f"{line} ..."))
    except UnavailableError as reason:
        if os.environ.get("CI") == "true":
            _fail(reason)
        print_result(f"SKIPPED, nothing was tested on ARM64: {reason}")
        sys.exit(SKIPPED)
    except (SetupError, OSError) as error:
        _fail(error)


def _fail(error: Exception) -> NoReturn:
    say_error(f"the emulated ARM64 machine cannot be set up: {error}")
    sys.exit(ExitCode.CHECK_FAILED)


if __name__ == "__main__":
    main()
