"""A processor of the emulated machine as a device, which sees the host's files."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gdq_devices.errors import ProgramError


@dataclass(frozen=True)
class EmulatedDevice:
    """A processor that qemu emulates, one process at a time.

    Attributes:
        qemu: the emulator.
        cpu: qemu's name of the processor.
        system: root of the libraries that its programs load.

    """

    qemu: Path
    cpu: str
    system: Path

    @property
    def name(self) -> str:
        """Return what messages and results call it."""
        return self.cpu

    @property
    def is_emulated(self) -> bool:
        """Tell that times on it mean nothing."""
        return True

    def push(self, file: Path) -> str:
        """Return the path of a file, which is the same there.

        Raises:
            ProgramError: there is no such file.

        """
        if not file.is_file():
            raise ProgramError(f"{file} does not exist, so it cannot be run on {self.name}")
        return str(file.resolve())

    def pull(self, path: str, target: Path) -> None:
        """Copy a file from a path there.

        Raises:
            ProgramError: it does not exist, or cannot be copied.

        """
        try:
            shutil.copyfile(path, target)
        except OSError as error:
            raise ProgramError(f"{path} cannot be fetched: {error.strerror}") from error

    def command(self, program: str) -> list[str]:
        """Return what runs a program here."""
        return [str(self.qemu), "-cpu", self.cpu, "-L", str(self.system), program]

    def run(
        self,
        program: str,
        arguments: Sequence[str] = (),
        *,
        environment: Mapping[str, str] | None = None,
        seconds: float,
    ) -> str:
        """Run a program, and return what it prints. Nothing of the environment here is passed on.

        Raises:
            ProgramError: it fails, takes too long, or qemu crashes.

        """
        place = f"{Path(program).name} on {self.name}"
        try:
            finished = subprocess.run(
                [*self.command(program), *arguments], env=dict(environment or {}),
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds,
                check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise ProgramError(f"{place} takes more than {seconds:.0f} s") from error
        if finished.returncode != 0:
            raise ProgramError(f"{place} ended with {finished.returncode}:\n{finished.stderr}")
        return finished.stdout
