from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap

from gdq_bench.compare.ratios import Ratio, compare_rounds


def rounds(median: float, scatter: float, seed: int, count: int = 40) -> list[float]:
    generator = np.random.default_rng(seed)
    return [float(one) for one in median * (1 + scatter * generator.standard_normal(count))]


def compare(first: list[float], second: list[float]) -> Ratio:
    found = compare_rounds(first, second)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("median", "scatter", "outcome"),
    [
        (1.0, 0.01, "same"),
        (0.9, 0.01, "faster"),
        (1.1, 0.01, "slower"),
        (1.03, 0.2, "cannot tell"),
        (1.005, 0.002, "same"),  # surely different, and as far apart as two runs of one program
    ],
)
def test_outcomes(median: float, scatter: float, outcome: str) -> None:
    assert compare(rounds(1, scatter, 1), rounds(median, scatter, 2)).outcome == outcome


def test_the_interval_is_that_of_scipy() -> None:
    first, second = rounds(1, 0.05, 3), rounds(1.2, 0.05, 4)
    found = compare(first, second)
    expected = bootstrap(
        (first, second),
        lambda one, other, axis: np.median(other, axis=axis) / np.median(one, axis=axis),
        method="percentile",
        n_resamples=4000,
        rng=np.random.default_rng(1),
    ).confidence_interval
    assert (found.lower, found.upper) == pytest.approx(tuple(expected), abs=0.01)
    assert found.lower < found.value < found.upper


def test_few_rounds_tell_nothing() -> None:
    assert compare([1.0] * 4, [2.0] * 40).outcome == "cannot tell"
    assert compare([1.0] * 5, [2.0] * 5).outcome == "slower"


def test_without_rounds_there_is_no_ratio() -> None:
    assert compare_rounds([], [1.0]) is None


def test_the_same_files_give_the_same_answer() -> None:
    first, second = rounds(1, 0.3, 5), rounds(1, 0.3, 6)
    assert compare(first, second) == compare(first, second)
