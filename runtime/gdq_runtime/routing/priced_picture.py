"""Routes the tiles of one picture between two networks at a price, band after band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gdq_core.bit_widths import INTERPOLATED
from gdq_core.sensitivity.pair import PairRule, PairSensitivity
from gdq_core.sensitivity.picture_error import PictureError
from gdq_core.sensitivity.prices import decibels_per_bit
from gdq_runtime.routing.price_control import PriceControl


class PricedPicture:
    """Gives each tile the route that loses least with its cost paid for."""

    def __init__(
        self,
        rule: PairRule,
        costs: Mapping[int, float],
        control: PriceControl,
        *,
        interpolates: bool,
    ) -> None:
        """Begin a picture.

        Args:
            rule: of the two networks.
            costs: of the routes to choose among, and of interpolation, in tiles at the large one's
                largest bit-width.
            control: the price, which outlives the picture.
            interpolates: whether flat tiles may be interpolated.

        """
        self._rule, self._costs, self._control = rule, costs, control
        self._interpolates = interpolates
        self._error = PictureError()

    def read(self, band: Sequence[PairSensitivity]) -> None:
        """Take in the tiles of a band."""
        self._error.add(tile.error for tile in band)

    def decide(self, band: Sequence[PairSensitivity]) -> list[int]:
        """Return routes, or ``INTERPOLATED``, for the tiles of a band that was read."""
        level = self._error.level
        return [self._spend(tile, level) for tile in band]

    def _spend(self, tile: PairSensitivity, level: int) -> int:
        price = decibels_per_bit(self._control.price)
        is_flat = self._interpolates and self._rule.is_flat(tile, level)
        losses = {
            route: self._rule.loss(tile, level, route)
            for route in self._costs
            if is_flat or route != INTERPOLATED
        }
        route = min(losses, key=lambda route: losses[route] + price * self._costs[route])
        self._control.note_loss(losses[route])
        return route
