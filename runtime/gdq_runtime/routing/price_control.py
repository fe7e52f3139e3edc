"""The dial's price of a bit, slowly moved so that FAB or loss meets its target in the long run.

A bound for each picture would throw away most of what a predictor wins: some pictures need the
bits that others do not. So the price follows the target across tiles and pictures, and holds no
picture to it.
"""

from __future__ import annotations

import math

from gdq_core.sensitivity.heads import OCTAVE
from gdq_core.sensitivity.prices import DECIBELS
from gdq_core.sensitivity.rule import SensitivityRule

GAIN = 0.02 * OCTAVE / math.log(2)
"""1/32 octaves of price for a tile one bit above the target: ``log price += 0.02 * bits``."""

LOSS_GAIN = GAIN / 4
"""The same for a tile of twice the loss that is asked for: losses scatter far more than bits."""

LARGEST_EXCESS = 4.0
"""Of a tile's loss over the target, in targets: one tile must not move the price by much."""

REACH = 6 * OCTAVE
"""The price stays within so much of where it began: a factor of 64."""


class PriceControl:
    """A price, and what it learns from each tile; deterministic in the order of the tiles."""

    def __init__(
        self,
        rule: SensitivityRule,
        start: float,
        *,
        fab: float | None = None,
        max_loss: float | None = None,
    ) -> None:
        """Begin.

        Args:
            rule: tells the loss of a tile.
            start: price to begin with, in 1/32 octaves.
            fab: mean bit-width that the network's tiles shall have in the long run.
            max_loss: mean loss in dB that all tiles shall have, above 0; the price stays where it
                begins if neither is given.

        """
        self._rule = rule
        self._start = self.price = float(start)
        self._fab, self._max_loss = fab, max_loss

    def note_tile(self, score: int, bit_width: int) -> None:
        """Learn of a tile that the network runs at a bit-width."""
        if self._fab is not None:
            self._move(GAIN * (bit_width - self._fab))
        self.note_loss(self._rule.steps.loss(score, bit_width))

    def note_flat(self, score: int) -> None:
        """Learn of a tile that is interpolated; ``score`` as ``SensitivityRule.is_flat`` has it."""
        self.note_loss(DECIBELS * 2 ** (score / OCTAVE))

    def note_loss(self, loss: float) -> None:
        """Learn of a tile that loses so many dB of its picture."""
        if self._max_loss is not None:
            excess = loss / self._max_loss - 1
            self._move(-LOSS_GAIN * min(excess, LARGEST_EXCESS))

    def _move(self, distance: float) -> None:
        moved = self.price + distance
        self.price = min(max(moved, self._start - REACH), self._start + REACH)
