"""Sets up the emulated machine: emulator, system, wheels, engine; parts that exist are kept."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from gdq_devices.emulated.debian import Packages, check_reachable, find_mirror, unpack
from gdq_devices.emulated.engine import TOOLS, build_engine, install_tools
from gdq_devices.emulated.machine import PYTHON, Machine
from gdq_devices.emulated.once import build_once, is_built
from gdq_devices.emulated.wheels import constraints_for_arm64, install, requirements
from gdq_devices.errors import UnavailableError

# Bookworm's own qemu is 7.2, in which LiteRT crashes; trixie's is 10 and needs no other package.
_EMULATOR = Packages("trixie", "amd64", ("qemu-user",))
_SYSTEM = Packages("bookworm", "arm64", (f"python{PYTHON}", "libstdc++6"))


def set_up(machine: Machine, constraints: Path, say: Callable[[str], None]) -> None:
    """Build what the machine lacks, and what another constraints.txt or setup has built.

    Args:
        machine: what to set up.
        constraints: file with the versions of the wheels.
        say: called with a line for each part that is built.

    Raises:
        UnavailableError: this machine cannot have it, through no fault of the project.
        SetupError: a part cannot be built. The parts that are built are kept.

    """
    _check_host()
    _add_packages([(machine.qemu, _EMULATOR), (machine.system, _SYSTEM)], say)
    lines = constraints.read_text(encoding="utf-8").splitlines()
    _add_wheels(machine, lines, say)
    _add_engine(machine, lines, say)


def set_up_emulator(machine: Machine, say: Callable[[str], None]) -> None:
    """Unpack the emulator alone, for programs that load no library.

    Raises:
        UnavailableError: this machine cannot have it, through no fault of the project.
        SetupError: it cannot be unpacked.

    """
    _check_host()
    _add_packages([(machine.qemu, _EMULATOR)], say)


def _add_packages(parts: Sequence[tuple[Path, Packages]], say: Callable[[str], None]) -> None:
    missing = [part for part in parts if not is_built(part[0], str(part[1]))]
    if missing:
        mirror = find_mirror()
        for _, packages in missing:
            check_reachable(mirror, packages)
        for folder, packages in missing:
            say(f"unpacking {packages}")
            build_once(folder, str(packages), partial(unpack, mirror, packages))


def _add_wheels(machine: Machine, constraints: Sequence[str], say: Callable[[str], None]) -> None:
    wanted = requirements()
    pins = constraints_for_arm64(constraints)
    recipe = "\n".join([*wanted, *pins])
    if not is_built(machine.wheels, recipe):
        say(f"installing {', '.join(wanted)} for ARM64")
        build_once(machine.wheels, recipe, partial(install, wanted, pins))


def _add_engine(machine: Machine, constraints: Sequence[str], say: Callable[[str], None]) -> None:
    recipe = "\n".join([*TOOLS, *constraints])
    if not is_built(machine.tools, recipe):
        say(f"installing {', '.join(TOOLS)}")
        build_once(machine.tools, recipe, partial(install_tools, constraints))
    say("compiling the engine gdq")
    build_engine(machine.tools, machine.engine)


def _check_host() -> None:
    host = f"{platform.system()} {platform.machine()}"
    if host != "Linux x86_64":
        raise UnavailableError(f"the emulator is set up on Linux x86_64 only, and this is {host}")
