"""A machine that runs programs for us, whatever it is and however it is reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol


class Device(Protocol):
    """Keeps files, and runs programs with them."""

    @property
    def name(self) -> str:
        """Return what messages and results call it."""

    @property
    def is_emulated(self) -> bool:
        """Tell whether times on it mean nothing."""

    def push(self, file: Path) -> str:
        """Copy a file to the device, and return its path there.

        Raises:
            ProgramError: it cannot be copied.

        """

    def pull(self, path: str, target: Path) -> None:
        """Fetch a file by its path on the device.

        Raises:
            ProgramError: it does not exist, or cannot be fetched.

        """

    def run(
        self,
        program: str,
        arguments: Sequence[str] = (),
        *,
        environment: Mapping[str, str] | None = None,
        seconds: float,
    ) -> str:
        """Run a program on the device, and return what it prints.

        Args:
            program: its path there.
            arguments: of the program.
            environment: variables to set.
            seconds: after which it is stopped.

        Raises:
            ProgramError: it fails, crashes, or takes too long.

        """
