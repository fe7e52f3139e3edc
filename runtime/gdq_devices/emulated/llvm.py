"""LLVM's models of processors, and its tools for reading libraries (ARM64).

``llvm-mca`` runs a block of instructions again and again through a model of a processor's
pipelines. The version is always the same, whatever the machine has: another one has other models.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gdq_devices.emulated.debian import Packages, check_reachable, find_mirror, unpack
from gdq_devices.emulated.machine import Machine
from gdq_devices.emulated.once import build_once, is_built
from gdq_devices.errors import ProgramError

_VERSION = 19
_PACKAGES = Packages("trixie", "amd64", (f"llvm-{_VERSION}",))
_TRIPLE = "aarch64"
_PASSES = 100
_REFUSED = re.compile(
    r"^<stdin>:(\d+):\d+: warning: (?:invalid|potentially undefined)", re.MULTILINE
)
_REGION = re.compile(
    r"^\[\d+\] Code Region - (\d+)\n.*?^Total Cycles:\s+(\d+)", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Function:
    """A function of a library.

    Attributes:
        name: as in the source, with its types.
        start: first address within the library.
        end: the address behind it.

    """

    name: str
    start: int
    end: int


@dataclass(frozen=True)
class Llvm:
    """LLVM's tools, unpacked.

    Attributes:
        folder: root of their packages.

    """

    folder: Path

    def disassemble(self, instructions: Sequence[int]) -> list[str]:
        """Write instructions as text; one that LLVM does not know is empty."""
        if not instructions:
            return []
        lines = [
            " ".join(f"{byte:#04x}" for byte in instruction.to_bytes(4, "little"))
            for instruction in instructions
        ]
        options = ["--disassemble", f"--triple={_TRIPLE}", "--mattr=+all"]
        finished = self._run("llvm-mc", options, "\n".join(lines) + "\n")
        refused = {int(number) - 1 for number in _REFUSED.findall(finished.stderr)}
        known = iter(finished.stdout.splitlines()[1:])  # behind ".text"
        return ["" if n in refused else next(known).strip() for n in range(len(lines))]

    def cycles(self, model: str, blocks: Sequence[Sequence[str]]) -> list[float]:
        """Weigh blocks of instructions.

        Args:
            model: LLVM's name of a processor.
            blocks: instructions as text.

        Returns:
            Cycles of one pass of each block, where the block repeats.

        Raises:
            ProgramError: llvm-mca refuses an instruction.

        """
        regions = "".join(
            f"# LLVM-MCA-BEGIN {number}\n" + "\n".join(filter(None, block)) + "\n# LLVM-MCA-END\n"
            for number, block in enumerate(blocks)
        )
        options = [
            f"-mtriple={_TRIPLE}", f"-mcpu={model}", "-mattr=+all", f"-iterations={_PASSES}",
            "--instruction-info=0", "--resource-pressure=0", "-",
        ]  # fmt: skip
        finished = self._run("llvm-mca", options, regions)
        found = {int(number): int(n) for number, n in _REGION.findall(finished.stdout)}
        return [found.get(number, 0) / _PASSES for number in range(len(blocks))]

    def functions(self, library: Path) -> list[Function]:
        """List a library's functions by address, however they are linked."""
        listed = self._run("llvm-nm", ["-S", "-C", "-n", "--defined-only", str(library)]).stdout
        lines = re.findall(r"^([0-9a-f]+) ([0-9a-f]+) [tTwW] (.*)$", listed, re.MULTILINE)
        return [
            Function(name, int(start, 16), int(start, 16) + int(size, 16))
            for start, size, name in lines
        ]

    def frames(self, library: Path, addresses: Sequence[int]) -> list[tuple[str, ...]]:
        """Name the functions that each address is in, the innermost inlined one first."""
        if not addresses:
            return []
        asked = "\n".join(f"{address:#x}" for address in addresses) + "\n"
        answer = self._run("llvm-symbolizer", [f"--obj={library}"], asked).stdout
        # Pairs of lines, function and place; an empty line behind each address.
        return [tuple(one.splitlines()[::2]) for one in answer.rstrip("\n").split("\n\n")]

    def _run(
        self, tool: str, options: Sequence[str], text: str = ""
    ) -> subprocess.CompletedProcess[str]:
        # By the packages' own loader: their C library may be newer than the one here.
        libraries = self.folder / "usr/lib/x86_64-linux-gnu"
        loader = [str(libraries / "ld-linux-x86-64.so.2"), "--library-path", str(libraries)]
        program = str(self.folder / f"usr/bin/{tool}-{_VERSION}")
        finished = subprocess.run(
            [*loader, program, *options], input=text, capture_output=True, text=True, check=False
        )
        if finished.returncode != 0:
            raise ProgramError(
                f"{tool} ended with {finished.returncode}:\n{finished.stderr[-2000:]}"
            )
        return finished


def add_llvm(machine: Machine, say: Callable[[str], None]) -> Llvm:
    """Unpack LLVM beside the emulated machine, unless that is done already.

    Raises:
        UnavailableError: this machine cannot have it, through no fault of the project.
        SetupError: it cannot be unpacked.

    """
    folder = machine.llvm
    if not is_built(folder, str(_PACKAGES)):
        mirror = find_mirror()
        check_reachable(mirror, _PACKAGES)
        say(f"unpacking {_PACKAGES}")
        build_once(folder, str(_PACKAGES), partial(unpack, mirror, _PACKAGES))
    return Llvm(folder)
