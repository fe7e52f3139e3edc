from __future__ import annotations

from pathlib import Path

import pytest

from gdq_devices.emulated.errors import ProgramError
from gdq_devices.emulated.machine import FOLDER, Machine

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
        ProgramError, match=r"program\.py on cortex-a53 ended with 1:\nout of paper"
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
