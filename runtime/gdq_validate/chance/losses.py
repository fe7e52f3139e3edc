"""What chance and an oracle lose on a set of pictures for the same price as a router."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gdq_core.bit_widths import INTERPOLATED
from gdq_validate.chance.errors import SMALLEST_ERROR, PictureErrors

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_RESAMPLES: Final = 400
_SEED: Final = 1
_COVERED: Final = (2.5, 97.5)
"""Percentiles that bound an interval of 95 %."""
_EXCHANGES: Final = np.logspace(-8, 3, 400)
"""What the oracle is made to pay for a whole step of price, in dB."""
_NOTHING: Final = 1e-4
"""dB; to lose a share of less than this means nothing."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a router made of P pictures.

    Attributes:
        losses: (P,), dB.
        prices: (P,), mean price of a tile.

    """

    losses: Floats
    prices: Floats


@dataclass(frozen=True, eq=False)
class Market:
    """A set of pictures, and what a tile costs on each route that may be taken.

    Attributes:
        pictures: P of them.
        prices: route through a network -> bits, or time, of a tile.
        interpolation: the same of interpolating it, as the oracle may; None if it may not.

    """

    pictures: Sequence[PictureErrors]
    prices: Mapping[int, float]
    interpolation: float | None = None

    def by_chance(self, price: float, drawn: Integers | None = None) -> float:
        """Return the least loss of drawing each tile's route from two, at a mean price.

        It is that of the pictures' expected errors, so that no luck is in it.

        Args:
            price: of a tile; outside the routes' prices it is that of the nearest.
            drawn: numbers of pictures, some more than once; None for all once.
        """
        prices = list(self.prices.values())
        price = float(np.clip(price, min(prices), max(prices)))
        errors = self._fixed if drawn is None else self._fixed[drawn]
        units = self._units if drawn is None else self._units[drawn]
        found = []
        for one, other in combinations(range(len(prices)), 2):
            low, high = prices[one], prices[other]
            if low != high and min(low, high) <= price <= max(low, high):
                share = (price - low) / (high - low)
                mixed = (1 - share) * errors[:, one] + share * errors[:, other]
                found.append(float(np.log10(mixed / units).mean() * 10))
        return min(found)

    def by_oracle(self, price: float) -> float:
        """Return the loss of an oracle that knows every tile's error, at a mean price."""
        points = sorted(self._choose(exchange) for exchange in _EXCHANGES)
        prices, losses = zip(*points, strict=True)
        return float(np.interp(price, prices, losses))

    def judge(self, outcome: Outcome) -> tuple[float | None, tuple[float, float] | None]:
        """Return the outcome's loss over that of chance at its price, and the interval of 95 %.

        Both are None where chance loses nothing. Pictures are drawn with replacement.
        """
        by_chance = self.by_chance(float(outcome.prices.mean()))
        if by_chance < _NOTHING:
            return None, None
        random = np.random.default_rng(_SEED)
        ratios = []
        for _ in range(_RESAMPLES):
            drawn = random.integers(0, len(self.pictures), len(self.pictures))
            chance = self.by_chance(float(outcome.prices[drawn].mean()), drawn)
            ratios.append(float(outcome.losses[drawn].mean()) / max(chance, _NOTHING))
        low, high = np.percentile(ratios, _COVERED)
        return float(outcome.losses.mean()) / by_chance, (float(low), float(high))

    @cached_property
    def _fixed(self) -> Floats:
        """(P, routes), errors of whole pictures on each route that has a price."""
        columns = [self.pictures[0].routes.index(route) for route in self.prices]
        errors = np.array([picture.fixed[columns] for picture in self.pictures])
        return np.asarray(np.maximum(errors, SMALLEST_ERROR), np.float64)

    @cached_property
    def _units(self) -> Floats:
        return np.array([picture.unit for picture in self.pictures])

    def _choose(self, exchange: float) -> tuple[float, float]:
        """Mean price and mean loss where tiles minimise loss plus ``exchange`` times price."""
        known = dict(self.prices)
        if self.interpolation is not None:
            known[INTERPOLATED] = self.interpolation
        prices, spent, lost = np.array(list(known.values())), [], []
        for picture in self.pictures:
            columns = [picture.routes.index(route) for route in known]
            errors = picture.added[:, columns]
            # To first order, and a tile of a large picture counts as little as it costs there.
            losses = 10 / np.log(10) * errors / picture.unit
            chosen = np.argmin(losses + exchange * prices / len(errors), axis=1)
            spent.append(prices[chosen].mean())
            lost.append(picture.loss(float(errors[np.arange(len(chosen)), chosen].sum())))
        return float(np.mean(spent)), float(np.mean(lost))
