from __future__ import annotations

import pytest

from gdq_bench.measure.clock import Times
from gdq_bench.suite.x86_tiles import BARS, Bars, judge


def took(*seconds: float) -> Times:
    return Times(wall=list(seconds), cpu=list(seconds))


def test_shares_and_ladder_are_taken_round_by_round() -> None:
    """The machine is twice as slow in the second round, and everything with it."""
    times = {
        "new, 4": took(1, 2, 1),
        "new, 8": took(3, 6, 3),
        "old, 4": took(9, 18, 9),
        "onnxruntime, 8": took(4, 8, 4),
    }
    share, ladder = judge("tiny", "new", Bars({4: 0.2}, 2.5), times)
    assert (share.value, share.is_reached) == (0.25, False)
    assert (ladder.value, ladder.is_reached) == (3, True)
    assert "onnxruntime, 8: cpu, s" in ladder.facts
    assert "old, 4: cpu, s" not in ladder.facts


@pytest.mark.parametrize("bars", BARS.values())
def test_bars_are_of_widths_that_are_measured(bars: Bars) -> None:
    assert set(bars.shares) <= {4, 5, 6, 8}
