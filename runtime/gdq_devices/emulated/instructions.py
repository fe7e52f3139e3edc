"""Counts the instructions that a program executes on the emulated machine.

qemu logs each block of instructions that it runs, and their number when it first sees the block.
The program says where counting begins and ends, by a system call that nothing else makes; and which
addresses its libraries have, for only these are logged: the log of all would be a hundred times as
long.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from gdq_devices.emulated.errors import ProgramError
from gdq_devices.emulated.machine import Machine

MARK = "getppid"
"""The system call between two counts."""

_SLACK = 1 << 20
"""Bytes by which a library may lie elsewhere the second time. What lies next to one is idle."""
_MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) r-x\S* .*/(\S+)$", re.MULTILINE)


def count_instructions(
    machine: Machine,
    cpu: str,
    program: Path,
    *arguments: str,
    packages: Sequence[Path],
    libraries: Sequence[str],
    seconds: float,
) -> list[int]:
    """Runs a Python program twice, and counts the second time.

    Args:
        machine: where.
        cpu: of which processor.
        program: prints ``/proc/self/maps`` when all its libraries are loaded, and calls
            ``os.getppid`` before and behind what is counted.
        arguments: of the program.
        packages: folders to import from, beside the wheels.
        libraries: beginnings of the file names of those whose instructions are counted.
        seconds: after which it is stopped.

    Returns:
        The number of instructions from each mark to the next.

    Raises:
        ProgramError: the program fails, or its libraries lie elsewhere the second time.

    """
    command, environment = _fixed(machine, cpu, program, arguments, packages)
    printed = _run([*command[0], *command[1]], environment, seconds)
    ranges = [(start - _SLACK, end + _SLACK) for start, end in _addresses(printed, libraries)]
    logged = ",".join(f"{start:#x}..{end:#x}" for start, end in ranges)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        os.mkfifo(log)
        options = ["-d", "exec,nochain,in_asm,strace", "-D", str(log), "-dfilter", logged]
        with subprocess.Popen(
            [*command[0], *options, *command[1]], env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            with log.open("rb", buffering=1 << 20) as lines:
                counts = count_lines(lines)
            printed, _ = process.communicate(timeout=seconds)
    if process.returncode != 0:
        raise ProgramError(f"{program.name} on {cpu} ended with {process.returncode}")
    if not all(_is_within(one, ranges) for one in _addresses(printed, libraries)):
        raise ProgramError(f"{program.name} on {cpu} has its libraries elsewhere every time")
    return counts


def count_lines(lines: Iterable[bytes]) -> list[int]:
    """Counts what qemu logs: instructions from each mark to the next."""
    lengths: dict[int, int] = {}
    counts: list[int] = []
    total = block = 0
    for line in lines:
        if line.startswith(b"Trace"):
            # Trace 0: 0x7fffe9424240 [00001001/00007ffff47a647c/00000001/00008200]
            total += lengths[int(line.split(b"/", 2)[1], 16)]
        elif line.startswith(b"IN:"):
            block = 0
        elif line.startswith(b"0x"):
            # 0x7ffff47a647c:  d2899549  mov      x9, #0x4caa
            address = int(line[: line.index(b":")], 16)
            block = block or address
            lengths[block] = (address - block) // 4 + 1
        elif MARK.encode() in line:
            counts.append(total)
            total = 0
    return counts[1:]


def _fixed(
    machine: Machine, cpu: str, program: Path, arguments: Sequence[str], packages: Sequence[Path]
) -> tuple[tuple[list[str], list[str]], dict[str, str]]:
    """Command before and behind qemu's options, and an environment, that fix all addresses."""
    emulator, *rest = map(str, machine.python(cpu))
    variables = {"MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    environment = {**machine.environment(packages), **variables}
    return (["setarch", "-R", emulator], [*rest, str(program), *arguments]), environment


def _run(command: Sequence[str], environment: dict[str, str], seconds: float) -> str:
    finished = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=seconds, check=False,
    )  # fmt: skip
    if finished.returncode != 0:
        raise ProgramError(f"{command[-1]} ended with {finished.returncode}:\n{finished.stderr}")
    return finished.stdout


def _addresses(maps: str, libraries: Sequence[str]) -> list[tuple[int, int]]:
    """Those of the libraries' code."""
    found = [
        (int(start, 16), int(end, 16))
        for start, end, name in _MAPPING.findall(maps)
        if name.startswith(tuple(libraries))
    ]
    if not found:
        raise ProgramError(f"none of {', '.join(libraries)} is loaded")
    return found


def _is_within(one: tuple[int, int], ranges: Sequence[tuple[int, int]]) -> bool:
    return any(start <= one[0] and one[1] <= end for start, end in ranges)
