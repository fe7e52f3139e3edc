from __future__ import annotations

from pathlib import Path

import pytest

from gdq_devices.adb.client import Client
from gdq_devices.adb.shell import Shell
from gdq_devices.errors import KilledError, LostError, ProgramError

SHELL = Shell(Client(Path("adb")), "X")


def test_what_ends_well_is_nothing_to_tell() -> None:
    SHELL.check("the program", 0, "said")


def test_an_exit_code_is_told_with_what_was_said_last() -> None:
    with pytest.raises(ProgramError, match=r"^the program on X ended with 2: no room$"):
        SHELL.check("the program", 2, "no room\n")


def test_an_exit_code_above_all_signals_is_no_signal() -> None:
    with pytest.raises(ProgramError, match=r"^the program on X ended with 255$") as raised:
        SHELL.check("the program", 255, "")
    assert not isinstance(raised.value, KilledError)


@pytest.mark.parametrize(("code", "name"), [(132, "SIGILL"), (134, "SIGABRT"), (139, "SIGSEGV")])
def test_a_crash_is_not_the_systems_doing(code: int, name: str) -> None:
    sentence = rf"^the program on X crashed \({name}\): `adb -s X logcat -b crash -d` says where$"
    with pytest.raises(ProgramError, match=sentence) as raised:
        SHELL.check("the program", code, "")
    assert not isinstance(raised.value, KilledError | LostError)


@pytest.mark.parametrize("number", [9, 15])
def test_a_signal_from_outside_is_told_apart(number: int) -> None:
    with pytest.raises(KilledError, match=f"^the program on X was ended by signal {number}$"):
        SHELL.check("the program", 128 + number, "")
