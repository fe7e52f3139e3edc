"""The emulated machine: where its parts lie, and how a program is run on one of its processors."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gdq_devices.emulated.device import EmulatedDevice

PYTHON = "3.11"
"""Debian bookworm's."""

FOLDER = Path(__file__).resolve().parents[3] / "build/arm64"
"""Where ``make test-arm64`` has it."""

CPUS = ("cortex-a53", "cortex-a76", "cortex-a710")
"""Three ways to multiply integers: without dot products, with them, with matrix products (i8mm)."""


@dataclass(frozen=True)
class Machine:
    """An ARM64 Python in a folder.

    Attributes:
        folder: holds all of it.

    """

    folder: Path

    @property
    def qemu(self) -> Path:
        """Root of the emulator's packages (x86-64)."""
        return self.folder / "qemu"

    @property
    def system(self) -> Path:
        """Root of the packages that are emulated: Python and the libraries below it (ARM64)."""
        return self.folder / "system"

    @property
    def wheels(self) -> Path:
        """Python packages (ARM64)."""
        return self.folder / "wheels"

    @property
    def tools(self) -> Path:
        """Compiler and build tools (x86-64)."""
        return self.folder / "tools"

    @property
    def llvm(self) -> Path:
        """Root of LLVM's packages (x86-64), if something needed them."""
        return self.folder / "llvm"

    @property
    def engine(self) -> Path:
        """Build folder of the engine gdq."""
        return self.folder / "engine"

    @property
    def library(self) -> Path:
        """The engine's library (ARM64)."""
        return self.engine / "libgdq_engine.so"

    @property
    def test_library(self) -> Path:
        """The same with its kernels exported, for tests."""
        return self.engine / "libgdq_engine_test.so"

    def run(
        self, cpu: str, program: Path, *arguments: str, packages: Sequence[Path], seconds: float
    ) -> str:
        """Run a Python program on a processor, and return what it prints.

        Args:
            cpu: one of ``CPUS``, or another that qemu knows.
            program: file to run.
            arguments: of the program.
            packages: folders to import from, beside the wheels.
            seconds: after which it is stopped; emulation takes tens of times as long as a phone.

        Raises:
            ProgramError: the program fails, takes too long, or qemu crashes.

        """
        return self.device(cpu).run(
            str(self.interpreter), [str(program), *arguments],
            environment=self.environment(packages), seconds=seconds,
        )  # fmt: skip

    def device(self, cpu: str) -> EmulatedDevice:
        """Return one of its processors."""
        return EmulatedDevice(self.qemu / "usr/bin/qemu-aarch64", cpu, self.system)

    @property
    def interpreter(self) -> Path:
        """Python (ARM64)."""
        return self.system / f"usr/bin/python{PYTHON}"

    def environment(self, packages: Sequence[Path]) -> dict[str, str]:
        """Return all variables of a program; ours are not inherited, being for another Python."""
        path = os.pathsep.join(map(str, (*packages, self.wheels)))
        return {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
