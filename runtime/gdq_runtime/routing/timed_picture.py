"""Routes the tiles of one picture by their sensitivities within a time, band after band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gdq_core.bit_widths import INTERPOLATED
from gdq_core.sensitivity.heads import Sensitivity
from gdq_core.sensitivity.picture_error import PictureError
from gdq_core.sensitivity.prices import decibels_per_bit
from gdq_core.sensitivity.rule import SensitivityRule
from gdq_runtime.engines.costs import Costs
from gdq_runtime.routing.price_control import GAIN, REACH


@dataclass(frozen=True, eq=False)
class TimeDial:
    """What pictures of a bundle with statistics may take.

    Attributes:
        costs: of tiles on this device.
        seconds: that a tile may take, on average over a picture; no less than the narrowest useful
            width takes.
        price: to begin with, in 1/32 octaves of dB a bit.

    """

    costs: Costs
    seconds: float
    price: float

    @property
    def seconds_per_bit(self) -> float:
        """What a bit costs between the narrowest and the largest useful width; 0 of only one."""
        narrowest, largest = self.costs.useful[0], self.costs.useful[-1]
        seconds = self.costs.largest_seconds - self.costs.seconds[narrowest]
        return seconds / max(largest - narrowest, 1)


class TimedPicture:
    """Gives each tile the width that loses least with its time paid for, and keeps the time.

    The price follows what is left for the tiles to come, so that hardly any picture has to be held
    to its time by force: then its last tiles get the narrowest width.
    """

    def __init__(
        self, rule: SensitivityRule, dial: TimeDial, tiles: int, *, interpolates: bool
    ) -> None:
        """Begin a picture.

        Args:
            rule: of the bundle.
            dial: the time, and what it is spent on.
            tiles: of the picture.
            interpolates: whether flat tiles are left to interpolation.

        """
        self._rule, self._dial, self._interpolates = rule, dial, interpolates
        self._error = PictureError()
        self._price = dial.price
        self._left, self._waiting = tiles * dial.seconds, tiles

    def read(self, band: Sequence[Sensitivity]) -> None:
        """Take in the tiles of a band."""
        self._error.add(tile.error for tile in band)

    def decide(self, band: Sequence[Sensitivity]) -> list[int]:
        """Return bit-widths, or ``INTERPOLATED``, for the tiles of a band that was read."""
        level = self._error.level
        return [self._spend(tile, level) for tile in band]

    def _spend(self, tile: Sensitivity, level: int) -> int:
        seconds = self._dial.costs.seconds
        is_flat = self._interpolates and self._rule.is_flat(tile, level)
        route = INTERPOLATED if is_flat else self._choose(tile.noise - level)
        target = self._left / self._waiting
        self._left -= seconds[route]
        self._waiting -= 1
        if per_bit := self._dial.seconds_per_bit:
            moved = self._price + GAIN * (seconds[route] - target) / per_bit
            self._price = min(max(moved, self._dial.price - REACH), self._dial.price + REACH)
        return route

    def _choose(self, score: int) -> int:
        """Minimise loss and price of the time, among what leaves enough for all other tiles."""
        costs = self._dial.costs
        narrowest = costs.seconds[costs.useful[0]]
        left = self._left - (self._waiting - 1) * narrowest
        price = decibels_per_bit(self._price) / (self._dial.seconds_per_bit or 1)
        fitting = [width for width in costs.useful if costs.seconds[width] <= left]
        return min(
            fitting or costs.useful[:1],
            key=lambda width: self._rule.steps.loss(score, width) + price * costs.seconds[width],
        )
