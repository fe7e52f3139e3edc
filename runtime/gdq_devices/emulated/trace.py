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

from gdq_devices.emulated.errors import ProgramError
from gdq_devices.emulated.machine import Machine

MARK = "getppid"
"""The system call between two spans."""

_MAPPING = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) (\S+) .*/(\S+)$", re.MULTILINE)

StageOf = Callable[[int], "str | None"]
"""Address of a block -> the stage that begins there, or None if it belongs to any."""


@dataclass(frozen=True)
class Mapped:
    """Where a library lies.

    Attributes:
        base: address of its first byte.
        code: first address of its instructions, and the one behind them.

    """

    base: int
    code: tuple[int, int]


@dataclass(frozen=True)
class Traceable:
    """A program of which it is known where its libraries lie.

    Attributes:
        name: of the program and the processor, for messages.
        command: what comes before and what comes behind qemu's options.
        environment: all its variables.
        libraries: file name -> where it lies.
        seconds: after which a run is stopped.

    """

    name: str
    command: tuple[Sequence[str], Sequence[str]]
    environment: Mapping[str, str]
    libraries: Mapping[str, Mapped]
    seconds: float


@dataclass
class Trace:
    """What qemu logged.

    Attributes:
        blocks: address of a block -> its instructions, as the processor reads them.
        spans: from each mark to the next: (stage, address of a block) -> executions.

    """

    blocks: dict[int, list[int]] = field(default_factory=dict)
    spans: list[Counter[tuple[str, int]]] = field(default_factory=list)

    def instructions(self, span: int) -> int:
        """Count the instructions of a span."""
        return sum(len(self.blocks[block]) * n for (_, block), n in self.spans[span].items())


def prepare(
    machine: Machine,
    cpu: str,
    program: Path,
    *arguments: str,
    packages: Sequence[Path],
    libraries: Sequence[str],
    seconds: float,
) -> Traceable:
    """Run a Python program with little or nothing to do, to see where its libraries lie.

    Args:
        machine: where.
        cpu: of which processor.
        program: prints ``/proc/self/maps`` when all its libraries are loaded, and calls
            ``os.getppid`` at both ends of what is counted.
        arguments: of the program.
        packages: folders to import from, beside the wheels.
        libraries: beginnings of the file names of those whose instructions are logged.
        seconds: after which it is stopped.

    Raises:
        ProgramError: the program fails or loads none of the libraries.

    """
    name = f"{program.name} on {cpu}"
    emulator, *python = map(str, machine.python(cpu))
    # All that moves addresses from one run to the next is held still.
    fixed = {"MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    environment = {**machine.environment(packages), **fixed}
    command = (["setarch", "-R", emulator], [*python, str(program), *arguments])
    # Twice, because the first run may write Python's caches, and then has another memory.
    for _ in range(2):
        printed = _run(name, [*command[0], *command[1]], environment, seconds)
    found = find_libraries(printed, libraries)
    if not found:
        raise ProgramError(f"{name} loads none of {', '.join(libraries)}")
    return Traceable(name, command, environment, found, seconds)


def trace(program: Traceable, *arguments: str, stage_of: StageOf = lambda _: None) -> Trace:
    """Run the program again and log what it executes.

    Args:
        program: what ``prepare`` returned.
        arguments: more of them, behind those of the first run.
        stage_of: tells stages apart: a block that begins none belongs to the last that began.

    Raises:
        ProgramError: the program fails, takes too long, or has its libraries elsewhere this time.

    """
    ranges = [one.code for one in program.libraries.values()]
    front, back = program.command
    reading, writing = os.pipe()
    options = [
        "-d", "exec,nochain,in_asm,strace", "-D", f"/dev/fd/{writing}",
        "-dfilter", ",".join(f"{start:#x}..{end:#x}" for start, end in ranges),
    ]  # fmt: skip
    with os.fdopen(reading, "rb", buffering=1 << 20) as log, tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            [*front, *options, *back, *arguments], env=program.environment,
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, pass_fds=[writing],
        )  # fmt: skip
        os.close(writing)
        deadline = threading.Timer(program.seconds, process.kill)
        deadline.start()
        try:
            traced = read_log(log, stage_of)
            code = process.wait()
        finally:
            deadline.cancel()
            process.kill()
        output.seek(0)
        printed = output.read()
    if code != 0:
        raise ProgramError(f"{program.name} ended with {code}:\n{printed[-2000:]}")
    if find_libraries(printed, list(program.libraries)) != program.libraries:
        raise ProgramError(f"{program.name} has its libraries elsewhere every time")
    return traced


def read_log(lines: Iterable[bytes], stage_of: StageOf = lambda _: None) -> Trace:
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


def find_libraries(maps: str, beginnings: Sequence[str]) -> dict[str, Mapped]:
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


def _run(name: str, command: Sequence[str], environment: Mapping[str, str], seconds: float) -> str:
    try:
        finished = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=seconds, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ProgramError(f"{name} takes more than {seconds:.0f} s") from error
    if finished.returncode != 0:
        raise ProgramError(f"{name} ended with {finished.returncode}:\n{finished.stderr}")
    return finished.stdout
