from __future__ import annotations

import sys

import pytest

from gdq_devices.commands import run_command
from gdq_devices.errors import SetupError


def test_returns_what_is_printed() -> None:
    assert run_command([sys.executable, "-c", "print('done')"]) == "done\n"


def test_takes_another_environment() -> None:
    program = "import os; print(os.environ['COLOUR'])"
    assert run_command([sys.executable, "-c", program], {"COLOUR": "red"}) == "red\n"


def test_a_failure_shows_the_output() -> None:
    program = "import sys; print('working'); sys.exit('no space left')"
    with pytest.raises(SetupError, match="ended with 1:\nworking\nno space left"):
        run_command([sys.executable, "-c", program])


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(SetupError, match="cannot start /nowhere/program: No such file"):
        run_command(["/nowhere/program"])
