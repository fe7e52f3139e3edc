"""How well a predictor does at a FAB, compared with chance and with an oracle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gdq_core.bit_widths import BIT_WIDTHS
from gdq_core.sensitivity.prices import PriceSteps
from gdq_models.fitting.measurement import Array
from gdq_models.predictor.statistics import HeldOutLosses

Integers = NDArray[np.int64]

_RESAMPLES: Final = 200
_SEED: Final = 1
_COVERED: Final = (2.5, 97.5)
"""Percentiles that bound an interval of 95 %."""
_REACH: Final = 200
"""Distance below and above all scores, in 1/32 octaves, that prices are tried to.

At both ends all tiles get the same bit-width.
"""
_ORACLE_PRICES: Final = np.logspace(-6, 1.5, 300)
"""Prices tried for the oracle, in dB per bit."""


@dataclass(frozen=True)
class RoutingLosses:
    """Losses of PSNR in dB, relative to all tiles at 8 bits, at one mean bit-width.

    Attributes:
        fab: mean bit-width.
        predictor: loss of the predictor, on photos that it was not fitted to.
        random: loss of chance: the best random mixture of 4 bits with one other bit-width.
        oracle: loss of an oracle that knows every tile's errors.
        ratio: ``predictor`` divided by ``random``.
        interval: 95 % interval of the ratio, from photos drawn with replacement.
    """

    fab: float
    predictor: float
    random: float
    oracle: float
    ratio: float
    interval: tuple[float, float]

    def to_keep(self) -> HeldOutLosses:
        """Return what a checkpoint keeps of them."""
        return HeldOutLosses(self.fab, self.predictor, self.random)


def judge_scores(
    losses: Array, scores: Integers, steps: PriceSteps, photo: Integers, fab: float
) -> RoutingLosses:
    """Judge scores of tiles by trying all prices of the dial.

    Args:
        losses: (N, 4) in dB, over ``BIT_WIDTHS``, see ``psnr_losses``.
        scores: (N,), of heads that were not fitted to the tile's photo.
        steps: how scores and a price lead to bit-widths.
        photo: (N,), number of the tile's photo.
        fab: mean bit-width at which to judge, 4 to 8.
    """
    photos = [np.flatnonzero(photo == number) for number in np.unique(photo)]
    random = np.random.default_rng(_SEED)
    ratios = []
    for _ in range(_RESAMPLES):
        drawn = random.integers(0, len(photos), len(photos))
        tiles = np.concatenate([photos[number] for number in drawn])
        by_scores = loss_by_scores(losses[tiles], scores[tiles], steps, fab)
        ratios.append(by_scores / loss_by_chance(losses[tiles], fab))
    by_scores, by_chance = loss_by_scores(losses, scores, steps, fab), loss_by_chance(losses, fab)
    low, high = np.percentile(ratios, _COVERED)
    return RoutingLosses(
        fab=fab,
        predictor=by_scores,
        random=by_chance,
        oracle=loss_by_oracle(losses, fab),
        ratio=by_scores / by_chance,
        interval=(float(low), float(high)),
    )


def loss_by_chance(losses: Array, fab: float) -> float:
    """Return the least mean loss in dB of mixing 4 bits with one other bit-width at random."""
    means = losses.mean(axis=0)
    smallest, *others = BIT_WIDTHS
    shares = [(fab - smallest) / (width - smallest) for width in others]
    return min(
        float((1 - share) * means[0] + share * mean)
        for share, mean in zip(shares, means[1:], strict=True)
        if share <= 1
    )


def loss_by_scores(losses: Array, scores: Integers, steps: PriceSteps, fab: float) -> float:
    """Return the dial's mean loss in dB at a FAB, interpolated between its positions."""
    prices = np.arange(scores.min() - _REACH, scores.max() + _REACH)
    return _at_fab(losses, [steps.choose_all(scores, float(price)) for price in prices], fab)


def loss_by_oracle(losses: Array, fab: float) -> float:
    """Return the mean loss in dB at a FAB of an oracle that knows all losses."""
    widths = np.array(BIT_WIDTHS)
    chosen = [widths[np.argmin(losses + price * widths, axis=1)] for price in _ORACLE_PRICES]
    return _at_fab(losses, chosen, fab)


def _at_fab(losses: Array, choices: list[Integers], fab: float) -> float:
    rows = np.arange(len(losses))
    points = sorted(
        (
            float(widths.mean()),
            float(losses[rows, np.searchsorted(BIT_WIDTHS, widths)].mean()),
        )
        for widths in choices
    )
    fabs, means = zip(*points, strict=True)
    return float(np.interp(fab, fabs, means))
