"""Routes the tiles of one picture by their sensitivities within a time, band after band.

A price that follows what was spent, tile by tile, comes too late for a picture of ordinary size: it
is solved for instead, by the tiles that were read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gdq_core.bit_widths import INTERPOLATED
from gdq_core.sensitivity.heads import OCTAVE
from gdq_core.sensitivity.picture_error import PictureError
from gdq_runtime.engines.costs import Costs
from gdq_runtime.routing.picture_routing import RouteRule, Tile

_REMEMBERED: Final = 256
"""Tiles that were decided, which tell with those that wait what the rest of a picture is like."""
_LOWEST, _HIGHEST, _STEPS = -30.0, 30.0, 32
"""Octaves of dB a tile at the largest width, and how often they are halved."""
_ROUNDING: Final = 1 + 1e-10
"""Sums of seconds that ought to be equal differ by less."""


@dataclass(frozen=True, eq=False)
class TimeDial:
    """What pictures of a bundle with statistics may take.

    Attributes:
        costs: of tiles on this device.
        seconds: that a tile may take, on average over a picture; no less than the fastest useful
            route takes.

    """

    costs: Costs
    seconds: float


class _Known(NamedTuple, Generic[Tile]):
    """A tile that was read, and what it loses on each route, in dB of a picture of level 0."""

    tile: Tile
    losses: list[float]


class TimedPicture(Generic[Tile]):
    """Gives each tile the route that loses least with its time paid for, and keeps the time.

    The price is the least at which the tiles to come take no longer than what is left for them.
    Interpolation is one of the routes of flat tiles, and the first that is given up where there is
    time to spare.
    """

    def __init__(
        self, rule: RouteRule[Tile], dial: TimeDial, tiles: int, *, interpolates: bool
    ) -> None:
        """Begin a picture.

        Args:
            rule: of the bundle's network, or of its two.
            dial: the time, and the routes that it is spent on.
            tiles: of the picture.
            interpolates: whether flat tiles may be interpolated.

        """
        self._rule, self._interpolates = rule, interpolates
        self._routes = (*dial.costs.routes, INTERPOLATED)
        self._seconds = np.array([dial.costs.seconds[route] for route in self._routes])
        self._unit = dial.costs.largest_seconds
        self._error = PictureError()
        self._left, self._waiting = tiles * dial.seconds, tiles
        self._ahead: deque[_Known[Tile]] = deque()
        self._decided: deque[_Known[Tile]] = deque(maxlen=_REMEMBERED)
        self._fastest = float(self._seconds[:-1].min())

    def read(self, band: Sequence[Tile]) -> None:
        """Take in the tiles of a band."""
        self._error.add(tile.error for tile in band)
        for tile in band:
            losses = [self._rule.loss(tile, 0, route) for route in self._routes]
            self._ahead.append(_Known(tile, losses))

    def decide(self, band: Sequence[Tile]) -> list[int]:
        """Return routes, or ``INTERPOLATED``, for the tiles of a band that was read."""
        level = self._error.level
        known = self._expect([*self._ahead, *self._decided], level)
        price = self._find_price(known)
        chosen = [self._spend(losses, price) for losses in known[: len(band)]]
        for _ in band:
            self._decided.append(self._ahead.popleft())
        return chosen

    def _expect(self, tiles: Sequence[_Known[Tile]], level: int) -> NDArray[np.float64]:
        """Return (tiles, routes) losses in dB; infinite where a route is not open."""
        losses = np.array([known.losses for known in tiles]) * 2.0 ** (-level / OCTAVE)
        flat = [self._interpolates and self._rule.is_flat(known.tile, level) for known in tiles]
        losses[~np.array(flat), -1] = np.inf
        return np.asarray(losses, np.float64)

    def _find_price(self, losses: NDArray[np.float64]) -> float:
        """Return dB a second: the least that leaves enough, if what is unread is like the known."""
        unread = self._waiting - len(self._ahead)
        weights = np.full(len(losses), unread / len(losses))
        weights[: len(self._ahead)] += 1
        low, high = _LOWEST, _HIGHEST
        for _ in range(_STEPS):
            middle = (low + high) / 2
            chosen = np.argmin(losses + 2**middle / self._unit * self._seconds, axis=1)
            if float(weights @ self._seconds[chosen]) <= self._left * _ROUNDING:
                high = middle
            else:
                low = middle
        return float(2**high / self._unit)

    def _spend(self, losses: NDArray[np.float64], price: float) -> int:
        """Choose among what leaves enough for all other tiles; the fastest route always does."""
        left = self._left - (self._waiting - 1) * self._fastest
        paid = losses + price * self._seconds
        is_fitting = self._seconds <= max(left, self._fastest) * _ROUNDING
        column = int(np.argmin(np.where(is_fitting, paid, np.inf)))
        self._left -= float(self._seconds[column])
        self._waiting -= 1
        return int(self._routes[column])
