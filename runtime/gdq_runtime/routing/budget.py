"""Holds one picture to what its tiles may cost on average, whatever they would like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gdq_core.bit_widths import BIT_WIDTHS, INTERPOLATED
from gdq_runtime.bundle.manifest import OperatingPoint


@dataclass(frozen=True)
class Bound:
    """The largest mean price of a picture's tiles.

    Attributes:
        largest: mean of all tiles that have a price.
        prices: what a bit map says of a tile -> its price.

    """

    largest: float
    prices: Mapping[int, float]

    @classmethod
    def of_bits(cls, fab: float) -> Bound:
        """Bound the bits of those tiles that the network runs."""
        return cls(fab, {width: float(width) for width in BIT_WIDTHS})


class Budget:
    """Turns the dial back, band by band, as far as the picture's bound demands.

    The dial's positions were calibrated on other photos: on a picture of many demanding tiles, one
    would spend more than it did there. Within a band the tiles that gain most keep theirs.
    """

    def __init__(self, positions: Sequence[OperatingPoint], bound: Bound) -> None:
        """Begin a picture.

        Args:
            positions: of the dial, cheapest first; the last is used while the bound has room.
            bound: of all tiles so far; no less than the first position can be kept.

        """
        self._positions, self._bound = positions, bound
        self._tiles = 0
        self._spent = 0.0

    def spend(self, bins: Sequence[int | None]) -> list[int]:
        """Return what becomes of the tiles of a band.

        Args:
            bins: the dial's bin of each tile, None if it is interpolated.

        """
        prices = self._bound.prices
        is_flat_counted = INTERPOLATED in prices
        self._tiles += len(bins) if is_flat_counted else len(bins) - bins.count(None)
        for point in reversed(self._positions):
            routes = [INTERPOLATED if one is None else point.bit_widths[one] for one in bins]
            spent = self._spent + sum(prices.get(route, 0) for route in routes)
            if spent <= self._bound.largest * self._tiles:
                break
        self._spent = spent
        return [int(route) for route in routes]
