from __future__ import annotations

import pytest

from gdq_bench.measure.commands import run_command


def test_a_command_is_timed_and_its_output_kept() -> None:
    run = run_command(("gdq-upscale", "--help"))
    assert run.output.startswith("Usage: gdq-upscale")
    assert run.output.count("peak_memory") == 0
    assert run.cpu > 0
    assert 5e6 < run.peak_memory < 5e8


def test_a_command_that_fails_says_why() -> None:
    with pytest.raises(RuntimeError, match="no_such_picture"):
        run_command(("gdq-upscale", "no_such_picture", "-b", "nothing", "-o", "nothing"))
