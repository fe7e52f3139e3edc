from __future__ import annotations

import time

import pytest
from benchmarks.clock import Times, interleave, ratio, run_command


def test_functions_run_in_turn_and_the_first_round_does_not_count() -> None:
    calls: list[str] = []
    times = interleave({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=2)
    assert calls == ["a", "b"] * 3
    assert [len(measured.wall) for measured in times.values()] == [2, 2]


def test_waiting_takes_wall_time_but_no_processor_time() -> None:
    times = interleave({"sleep": lambda: time.sleep(0.05)}, rounds=1)["sleep"]
    assert times.wall[0] >= 0.05
    assert times.cpu[0] < 0.04


def test_ratio_is_the_median_of_the_rounds_own_ratios() -> None:
    assert ratio(Times(wall=[2, 30, 8]), Times(wall=[1, 10, 2])) == 3
    assert ratio(Times(cpu=[2, 30, 8]), Times(cpu=[1, 10, 2]), "cpu") == 3


def test_a_command_is_timed_and_its_output_kept() -> None:
    run = run_command(("gdq-upscale", "--help"))
    assert run.output.startswith("Usage: gdq-upscale")
    assert run.output.count("peak_memory") == 0
    assert run.cpu > 0
    assert 5e6 < run.peak_memory < 5e8


def test_a_command_that_fails_says_why() -> None:
    with pytest.raises(RuntimeError, match="no_such_picture"):
        run_command(("gdq-upscale", "no_such_picture", "-b", "nothing", "-o", "nothing"))
