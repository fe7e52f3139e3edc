from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdq_bench.measure.statistics import Spread, spread_of

SECONDS = st.floats(min_value=1e-6, max_value=1e3)


@given(st.lists(SECONDS, min_size=2, max_size=50))
def test_agrees_with_the_standard_library(samples: list[float]) -> None:
    spread = spread_of(samples)
    quartiles = statistics.quantiles(samples, n=4, method="inclusive")
    assert [spread.lower, spread.median, spread.upper] == pytest.approx(quartiles)
    assert (spread.rounds, spread.smallest) == (len(samples), min(samples))


@given(st.lists(SECONDS, min_size=1, max_size=50), st.randoms())
def test_ordered_within_the_samples_and_whatever_their_order(
    samples: list[float], random: object
) -> None:
    spread = spread_of(samples)
    assert spread.smallest <= spread.lower <= spread.median <= spread.upper <= max(samples)
    assert spread_of(sorted(samples)) == spread


@given(st.lists(SECONDS, min_size=1, max_size=50), st.sampled_from([0.25, 2.0, 1024.0]))
def test_scales_with_the_unit(samples: list[float], factor: float) -> None:
    spread, scaled = spread_of(samples), spread_of([factor * sample for sample in samples])
    assert scaled.median == pytest.approx(factor * spread.median)
    assert scaled.relative == pytest.approx(spread.relative, abs=1e-9)


@given(st.lists(SECONDS, min_size=5, max_size=50))
def test_one_disturbed_round_moves_no_quartile_beyond_the_others(samples: list[float]) -> None:
    assert spread_of([*samples, 1e6]).upper <= max(samples)


def test_one_sample_has_no_scatter() -> None:
    assert spread_of([2.5]) == Spread(rounds=1, median=2.5, lower=2.5, upper=2.5, smallest=2.5)
    assert spread_of([2.5]).relative == 0
