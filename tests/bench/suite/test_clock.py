from __future__ import annotations

import pytest

from gdq_bench.measure.clock import Times
from gdq_bench.suite.clock import facts_of, ratio, run_command


def test_ratio_is_the_median_of_the_rounds_own_ratios() -> None:
    assert ratio(Times(wall=[2, 30, 8]), Times(wall=[1, 10, 2])) == 3
    assert ratio(Times(cpu=[2, 30, 8]), Times(cpu=[1, 10, 2]), "cpu") == 3


def test_facts_are_medians_and_extremes() -> None:
    assert facts_of("tile", Times(wall=[2, 30, 8], cpu=[2, 3, 1])) == {
        "tile: wall, s": 8,
        "tile: wall from to, s": "2.0000 to 30.0000",
        "tile: cpu, s": 2,
    }


def test_a_command_is_timed_and_its_output_kept() -> None:
    run = run_command(("gdq-upscale", "--help"))
    assert run.output.startswith("Usage: gdq-upscale")
    assert run.output.count("peak_memory") == 0
    assert run.cpu > 0
    assert 5e6 < run.peak_memory < 5e8


def test_a_command_that_fails_says_why() -> None:
    with pytest.raises(RuntimeError, match="no_such_picture"):
        run_command(("gdq-upscale", "no_such_picture", "-b", "nothing", "-o", "nothing"))
