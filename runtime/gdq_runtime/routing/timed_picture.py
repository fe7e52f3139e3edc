"""Routes the tiles of one picture by their sensitivities within a time, band after band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic

from gdq_core.bit_widths import INTERPOLATED
from gdq_core.sensitivity.picture_error import PictureError
from gdq_core.sensitivity.prices import decibels_per_bit
from gdq_runtime.engines.costs import Costs
from gdq_runtime.routing.picture_routing import RouteRule, Tile
from gdq_runtime.routing.price_control import GAIN, REACH


@dataclass(frozen=True, eq=False)
class TimeDial:
    """What pictures of a bundle with statistics may take.

    Attributes:
        costs: of tiles on this device.
        seconds: that a tile may take, on average over a picture; no less than the narrowest useful
            width takes.
        price: to begin with, in 1/32 octaves of dB a bit; of two networks, of dB a tile at the
            large one's largest bit-width.

    """

    costs: Costs
    seconds: float
    price: float

    @property
    def priced_seconds(self) -> float:
        """Time that the price is of: what a bit costs, or a tile; 0 if there is only one route."""
        if self.costs.routes != self.costs.useful:
            return self.costs.largest_seconds
        narrowest, largest = self.costs.useful[0], self.costs.useful[-1]
        seconds = self.costs.largest_seconds - self.costs.seconds[narrowest]
        return seconds / max(largest - narrowest, 1)


class TimedPicture(Generic[Tile]):
    """Gives each tile the route that loses least with its time paid for, and keeps the time.

    The price follows what is left for the tiles to come, so that hardly any picture has to be held
    to its time by force: then its last tiles get the fastest route.
    """

    def __init__(
        self, rule: RouteRule[Tile], dial: TimeDial, tiles: int, *, interpolates: bool
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
        self._fastest = min(dial.costs.routes, key=dial.costs.seconds.__getitem__)

    def read(self, band: Sequence[Tile]) -> None:
        """Take in the tiles of a band."""
        self._error.add(tile.error for tile in band)

    def decide(self, band: Sequence[Tile]) -> list[int]:
        """Return routes, or ``INTERPOLATED``, for the tiles of a band that was read."""
        level = self._error.level
        return [self._spend(tile, level) for tile in band]

    def _spend(self, tile: Tile, level: int) -> int:
        seconds = self._dial.costs.seconds
        is_flat = self._interpolates and self._rule.is_flat(tile, level)
        route = INTERPOLATED if is_flat else self._choose(tile, level)
        target = self._left / self._waiting
        self._left -= seconds[route]
        self._waiting -= 1
        if unit := self._dial.priced_seconds:
            moved = self._price + GAIN * (seconds[route] - target) / unit
            self._price = min(max(moved, self._dial.price - REACH), self._dial.price + REACH)
        return route

    def _choose(self, tile: Tile, level: int) -> int:
        """Minimise loss and price of the time, among what leaves enough for all other tiles."""
        seconds = self._dial.costs.seconds
        left = self._left - (self._waiting - 1) * seconds[self._fastest]
        price = decibels_per_bit(self._price) / (self._dial.priced_seconds or 1)
        fitting = [route for route in self._dial.costs.routes if seconds[route] <= left]
        return min(
            fitting or [self._fastest],
            key=lambda route: self._rule.loss(tile, level, route) + price * seconds[route],
        )
