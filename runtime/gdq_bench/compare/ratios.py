"""Ratio of two medians, and how sure it is: a bootstrap over the rounds of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

Outcome = Literal["faster", "slower", "same", "cannot tell"]

SAME: Final = 0.02
"""Medians that are no farther apart are the same: as far apart are those of two runs of one program
on a quiet machine, which a bootstrap within each run does not see."""

FEWEST: Final = 5
"""Rounds without which nothing can be told."""

_RESAMPLES = 4000
_SURE = 95
"""Percent of the resampled ratios that lie in the interval."""


@dataclass(frozen=True)
class Ratio:
    """How long the second takes over the first; below 1 is faster.

    Attributes:
        value: ratio of the medians.
        lower: of the interval that holds 95 % of the resampled ratios.
        upper: likewise.
        outcome: in a word.

    """

    value: float
    lower: float
    upper: float
    outcome: Outcome


def compare_rounds(first: Sequence[float], second: Sequence[float]) -> Ratio | None:
    """Compare the times of all rounds of two runs; None if either has none.

    The percentile bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap, chapter 13)
    with a fixed seed, so that the same files give the same answer.
    """
    if not first or not second:
        return None
    generator = np.random.default_rng(0)
    medians = [
        np.median(generator.choice(np.asarray(rounds), (_RESAMPLES, len(rounds))), axis=1)
        for rounds in (first, second)
    ]
    spare = (100 - _SURE) / 2
    lower, upper = np.percentile(medians[1] / medians[0], (spare, 100 - spare)).tolist()
    value = float(np.median(second) / np.median(first))
    few = min(len(first), len(second)) < FEWEST
    return Ratio(value, lower, upper, "cannot tell" if few else _judge(lower, upper))


def _judge(lower: float, upper: float) -> Outcome:
    if upper < 1 - SAME:
        return "faster"
    if lower > 1 + SAME:
        return "slower"
    return "same" if lower >= 1 - SAME and upper <= 1 + SAME else "cannot tell"
