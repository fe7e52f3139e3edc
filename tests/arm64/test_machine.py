from __future__ import annotations

from pathlib import Path

import pytest

from gdq_devices.emulated.machine import FOLDER, Machine
from gdq_devices.errors import ProgramError
from gdq_devices.protocol import Device

MACHINE = Machine(FOLDER)


def run(program: Path, seconds: float = 60) -> str:
    return MACHINE.run("cortex-a53", program, "one", "two", packages=[], seconds=seconds)


def test_a_program_gets_its_arguments_and_prints(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("import os, sys\nprint(sys.argv[1:], os.uname().machine)")
    assert run(program) == "['one', 'two'] aarch64\n"


def test_a_program_that_fails_says_why(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("raise SystemExit('out of paper')")
    with pytest.raises(
        ProgramError, match=r"python3\.11 on cortex-a53 ended with 1:\nout of paper"
    ):
        run(program)


def test_a_crash_is_an_error(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("import os\nos.abort()")
    with pytest.raises(ProgramError, match="ended with -6"):
        run(program)


def test_a_program_that_hangs_is_stopped(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("while True: pass")
    with pytest.raises(ProgramError, match="takes more than 2 s"):
        run(program, seconds=2)


def test_a_processor_is_a_device_that_runs_programs(tmp_path: Path) -> None:
    device: Device = MACHINE.device("cortex-a76")
    program = device.push(MACHINE.interpreter)
    made = tmp_path / "there"
    source = f"import os; open({str(made)!r}, 'w').write(os.environ['COLOUR'])"
    device.run(program, ["-c", source], environment={"COLOUR": "red"}, seconds=60)
    device.pull(str(made), tmp_path / "here")
    assert (tmp_path / "here").read_text() == "red"
    assert (device.name, device.is_emulated) == ("cortex-a76", True)


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    device = MACHINE.device("cortex-a76")
    with pytest.raises(
        ProgramError, match="nothing does not exist, so it cannot be run on cortex-a76"
    ):
        device.push(tmp_path / "nothing")
    with pytest.raises(ProgramError, match="nothing cannot be fetched: No such file"):
        device.pull(str(tmp_path / "nothing"), tmp_path / "here")
