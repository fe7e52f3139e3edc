"""Which blocks of instructions a program executes on the emulated machine, and how often.

qemu logs every block that it runs, and the block's instructions when it first sees them. The
program says where counting begins and ends, by a system call that nothing else makes; and where its
libraries lie, for only these are logged: the log of everything would be a hundred times as long.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gdq_devices.emulated.machine import Machine
from gdq_devices.errors import ProgramError

MARK = "getppid"
"""The system call between two spans."""

_MAPPING = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) (\S+) .*/(\S+)$", re.MULTILINE)

_ATTEMPTS = 3
"""A run that writes Python's caches uses memory differently from the next one, which reads them."""
_SHOWN = 2000
"""Last characters of a failed program's output that are shown."""

StageOf = Callable[[int], "str | None"]
"""Address of a block -> the stage that begins there, or None if it belongs to any."""


def no_stage(_: int) -> str | None:
    """Tell no stages apart."""
    return None


@dataclass(frozen=True)
class Mapped:
    """Where a library lies.

    Attributes:
        base: address of its first byte.
        code: first address of its instructions, and the one behind them.

    """

    base: int
    code: tuple[int, int]


Libraries = Mapping[str, Mapped]
"""File name -> where it lies."""


@dataclass(frozen=True)
class Program:
    """A Python program that can be traced.

    Attributes:
        machine: runs it.
        cpu: of which processor.
        file: prints ``/proc/self/maps`` when all its libraries are loaded, and calls ``os.getppid``
            at both ends of what is counted.
        arguments: those with which it does little more than that.
        packages: folders to import from, beside the wheels.
        libraries: beginnings of the file names of those whose instructions are logged.
        seconds: after which a run is stopped.

    """

    machine: Machine
    cpu: str
    file: Path
    arguments: Sequence[str]
    packages: Sequence[Path]
    libraries: Sequence[str]
    seconds: float

    def __str__(self) -> str:
        return f"{self.file.name} on {self.cpu}"

    def command(self) -> tuple[list[str], list[str]]:
        """Return what comes before and what comes behind qemu's options."""
        emulator, *python = self.machine.device(self.cpu).command(str(self.machine.interpreter))
        return ["setarch", "-R", emulator], [*python, str(self.file), *self.arguments]

    def environment(self) -> dict[str, str]:
        """Return all variables; they hold still what moves libraries from one run to the next."""
        still = {"MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
        return {**self.machine.environment(self.packages), **still}


@dataclass(frozen=True)
class NativeProgram:
    """A program that is linked to run at one address, and can be traced there.

    Attributes:
        machine: runs it.
        cpu: of which processor.
        file: calls ``getppid`` at both ends of what is counted.
        code: first address of the instructions that are logged, and the one behind them.
        seconds: after which it is stopped.

    """

    machine: Machine
    cpu: str
    file: Path
    code: tuple[int, int]
    seconds: float

    def __str__(self) -> str:
        return f"{self.file.name} on {self.cpu}"


@dataclass
class Trace:
    """What qemu logged.

    Attributes:
        blocks: address of a block -> its instructions, as the processor reads them.
        spans: from each mark to the next: (stage, address of a block) -> executions.
        libraries: where they lie.

    """

    blocks: dict[int, list[int]] = field(default_factory=dict)
    spans: list[Counter[tuple[str, int]]] = field(default_factory=list)
    libraries: Libraries = field(default_factory=dict)

    def instructions(self, span: int) -> int:
        """Count the instructions of a span."""
        return sum(len(self.blocks[block]) * n for (_, block), n in self.spans[span].items())


def trace(
    program: Program, *arguments: str, stages: Callable[[Libraries], StageOf] = lambda _: no_stage
) -> Trace:
    """Run a program, and log what it executes.

    Args:
        program: what to run.
        arguments: more of them, which give it something to do.
        stages: makes what tells stages apart: a block that begins none belongs to the last that
            began.

    Raises:
        ProgramError: the program fails, takes too long, loads none of the libraries, or has them
            elsewhere every time.

    """
    expected = _locate(program)
    for _ in range(_ATTEMPTS):
        found = _log(program, arguments, expected, stages(expected))
        if found.libraries == expected:
            return found
        expected = found.libraries
    raise ProgramError(f"{program} loads its libraries at other addresses every time")


def _locate(program: Program) -> Libraries:
    """Run the program to see where its libraries lie."""
    front, back = program.command()
    try:
        finished = subprocess.run(
            [*front, *back], env=program.environment(), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=program.seconds, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ProgramError(f"{program} takes more than {program.seconds:.0f} s") from error
    return _check(program, finished.returncode, finished.stdout + finished.stderr)


def trace_native(program: NativeProgram, *arguments: str) -> tuple[Trace, str]:
    """Run a native program once, and log what it executes.

    Args:
        program: what to run.
        arguments: of the program.

    Returns:
        The trace, and what the program printed.

    Raises:
        ProgramError: the program fails or takes too long.

    """
    emulator, *file = program.machine.device(program.cpu).command(str(program.file))
    found, code, printed = _record(
        [emulator], [*file, *arguments], dict(program.machine.environment([])), [program.code],
        program.seconds, no_stage,
    )  # fmt: skip
    _check_ending(program, code, printed)
    return found, printed


def _log(
    program: Program, arguments: Sequence[str], expected: Libraries, stage_of: StageOf
) -> Trace:
    """Log what is executed where libraries are expected, and see where they were."""
    front, back = program.command()
    found, code, printed = _record(
        front, [*back, *arguments], program.environment(),
        [one.code for one in expected.values()], program.seconds, stage_of,
    )  # fmt: skip
    found.libraries = _check(program, code, printed)
    return found


def _record(
    front: Sequence[str],
    back: Sequence[str],
    environment: Mapping[str, str],
    code: Sequence[tuple[int, int]],
    seconds: float,
    stage_of: StageOf,
) -> tuple[Trace, int, str]:
    """Log the instructions of a run within some addresses; return its exit code and output, too.

    Args:
        front: the emulator.
        back: what follows qemu's options: other options, the program, and its arguments.
        environment: all variables.
        code: the addresses, each the first one and the one behind the last.
        seconds: after which it is stopped.
        stage_of: tells stages apart.

    """
    ranges = ",".join(f"{start:#x}..{end:#x}" for start, end in code)
    reading, writing = os.pipe()
    options = ["-d", "exec,nochain,in_asm,strace", "-D", f"/dev/fd/{writing}", "-dfilter", ranges]
    with os.fdopen(reading, "rb", buffering=1 << 20) as log, tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            [*front, *options, *back], env=environment,
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, pass_fds=[writing],
        )  # fmt: skip
        os.close(writing)
        deadline = threading.Timer(seconds, process.kill)
        deadline.start()
        try:
            found = read_log(log, stage_of)
            ended = process.wait()
        finally:
            deadline.cancel()
            process.kill()
        output.seek(0)
        return found, ended, output.read()


def _check(program: Program, code: int, printed: str) -> Libraries:
    """Find the libraries in what a program printed, once it is known to have succeeded."""
    _check_ending(program, code, printed)
    libraries = find_libraries(printed, program.libraries)
    if not libraries:
        raise ProgramError(f"{program} loads none of {', '.join(program.libraries)}")
    return libraries


def _check_ending(program: Program | NativeProgram, code: int, printed: str) -> None:
    if code != 0:
        raise ProgramError(f"{program} ended with {code}:\n{printed[-_SHOWN:]}")


def read_log(lines: Iterable[bytes], stage_of: StageOf = no_stage) -> Trace:
    """Read what qemu logs."""
    result = Trace()
    stages: dict[int, str | None] = {}
    span: Counter[tuple[str, int]] = Counter()
    marks = block = 0
    stage = ""
    for line in lines:
        if line.startswith(b"Trace"):
            # Trace 0: 0x7fffe9424240 [00001001/00007ffff47a647c/00000001/00008200]
            address = int(line.split(b"/", 2)[1], 16)
            begins = stages[address]
            stage = stage if begins is None else begins
            span[stage, address] += 1
        elif line.startswith(b"IN:"):
            block = 0
        elif line.startswith(b"0x"):
            # 0x7ffff47a647c:  d2899549  mov      x9, #0x4caa
            address, encoding = (
                int(number, 16) for number in line.replace(b":", b"").split(None, 2)[:2]
            )
            if not block:
                block = address
                result.blocks[block] = []
                stages[block] = stage_of(block)
            result.blocks[block].append(encoding)
        elif MARK.encode() in line:
            if marks:
                result.spans.append(span)
            marks += 1
            span, stage = Counter(), ""
    return result


def find_libraries(maps: str, beginnings: Sequence[str]) -> Libraries:
    """Read from ``/proc/self/maps`` where libraries lie."""
    bases: dict[str, int] = {}
    found: dict[str, Mapped] = {}
    for start, end, rights, name in _MAPPING.findall(maps):
        if not name.startswith(tuple(beginnings)):
            continue
        base = bases.setdefault(name, int(start, 16))
        if "x" in rights:
            found[name] = Mapped(base, (int(start, 16), int(end, 16)))
    return found
