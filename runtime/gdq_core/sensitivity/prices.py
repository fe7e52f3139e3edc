"""What a bit may cost: one dial, the price, and where each bit-width begins to pay.

A tile of score s loses ``10 / ln 10 * 2**(s / 32)`` dB of its picture at 4 bits, and shares of it
at 5 and 6, which are much the same for all tiles of a network. Whoever minimises loss plus price
times bits takes the next width where what it saves is worth its bits: three steps of the score
above the price, which are the network's own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gdq_core.bit_widths import BIT_WIDTHS, BitWidth
from gdq_core.sensitivity.heads import OCTAVE

DECIBELS: Final = 10 / math.log(10)
"""Of PSNR for a small relative error, to first order."""

NEVER: Final = 32 * OCTAVE
"""A step that no score takes: a width that saves nothing, or less than a wider one."""


@dataclass(frozen=True)
class PriceSteps:
    """From how far above the price a score buys 5, 6 and 8 bits; each no less than the one before.

    Attributes:
        above: three whole numbers of 1/32 octaves.

    Raises:
        ValueError: on construction, if they are not three, descend, or leave their range.

    """

    above: tuple[int, int, int]

    def __post_init__(self) -> None:
        if len(self.above) != len(BIT_WIDTHS) - 1 or list(self.above) != sorted(self.above):
            raise ValueError(f"price steps must be three and must not descend, got {self.above}")
        if not (self.above[0] >= -NEVER and self.above[-1] <= NEVER):
            raise ValueError(f"price steps must lie within {NEVER} of 0, got {self.above}")

    @classmethod
    def from_losses(cls, losses: Sequence[float]) -> PriceSteps:
        """Return the steps of a network.

        Args:
            losses: at 4, 5, 6 and 8 bits, means over tiles, in any unit. If 4 bits lose nothing,
                no width ever pays.

        """
        whole = losses[0] - losses[-1]
        if whole <= 0:
            return cls((NEVER, NEVER, NEVER))
        shares = [(loss - losses[-1]) / whole for loss in losses]
        five, six, eight = _steps(BIT_WIDTHS, shares)
        return cls((five, six, eight))

    def with_costs(self, costs: Mapping[int, float]) -> PriceSteps:
        """Return the steps where bit-widths cost other than their bits.

        Args:
            costs: bit-width -> cost, rising, in the unit that the price is of. A bit-width that is
                missing is never chosen: the next wider one gets its tiles.

        """
        kept = [width for width in BIT_WIDTHS if width in costs]
        steps = _steps([costs[width] for width in kept], [self._share(width) for width in kept])
        # The narrowest is bought at any price; there is nothing beyond the widest.
        step_of = dict(zip(kept, (-NEVER, *steps), strict=True))
        five, six, eight = (
            next((step_of[other] for other in kept if other >= width), NEVER)
            for width in BIT_WIDTHS[1:]
        )
        return PriceSteps((five, six, eight))

    def choose(self, score: int, price: float) -> BitWidth:
        """Return the bit-width that a tile of this score buys at a price, in 1/32 octaves."""
        return BIT_WIDTHS[sum(score - price >= step for step in self.above)]

    def loss(self, score: int, bit_width: int) -> float:
        """Return what a tile of this score loses at a bit-width, in dB of its picture."""
        return float(DECIBELS * 2 ** (score / OCTAVE)) * self._share(bit_width)

    def choose_all(self, scores: NDArray[np.int64], price: float) -> NDArray[np.int64]:
        """Return the bit-widths (N,) of scores (N,)."""
        bought = np.searchsorted(self.above, scores - price, side="right")
        return np.array(BIT_WIDTHS)[bought]

    def _share(self, bit_width: int) -> float:
        """Return the share of the noise at 4 bits that is left at a bit-width."""
        savings = [2.0 ** (-step / OCTAVE) for step in self.above]
        bits = [wider - narrower for narrower, wider in pairwise(BIT_WIDTHS)]
        bought = BIT_WIDTHS.index(bit_width)
        left = zip(savings[bought:], bits[bought:], strict=True)
        return float(sum(saving * more for saving, more in left))


def decibels_per_bit(price: float) -> float:
    """Return a price in dB a bit."""
    return float(DECIBELS * 2 ** (price / OCTAVE))


def _steps(costs: Sequence[float], shares: Sequence[float]) -> list[int]:
    """Return how far above the price a score buys each next width, none below the one before."""
    above: list[int] = []
    for saving in _hull_savings(costs, shares):
        step = NEVER if saving <= 0 else round(-OCTAVE * math.log2(saving))
        above.append(min(max([step, -NEVER, *above[-1:]]), NEVER))
    return above


def _hull_savings(costs: Sequence[float], shares: Sequence[float]) -> list[float]:
    """Return what each next width saves for its cost, on the lower convex hull of the shares."""
    savings: list[float] = []
    current = 0
    while current + 1 < len(shares):
        slopes = [
            (shares[current] - shares[later]) / (costs[later] - costs[current])
            for later in range(current + 1, len(shares))
        ]
        best = max(range(len(slopes)), key=slopes.__getitem__)
        savings += [slopes[best]] * (best + 1)
        current += best + 1
    return savings
