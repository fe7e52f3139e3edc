"""Where the price of a bit begins, for what is asked of a bundle with statistics."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np

from gdq_core.bit_widths import BIT_WIDTHS, INTERPOLATED
from gdq_core.errors import RequestError
from gdq_core.sensitivity.prices import NEVER
from gdq_runtime.bundle.manifest import FlatTiles, PricePoint, TradeOff
from gdq_runtime.engines.costs import Costs
from gdq_runtime.routing.dial import Crew, allow_seconds
from gdq_runtime.routing.request import Request


@dataclass(frozen=True)
class PriceStart:
    """A position of the dial.

    Attributes:
        price: in 1/32 octaves.
        loss_db: expected without flat tiles, as calibrated; None if the bundle does not say.

    """

    price: float
    loss_db: float | None


@dataclass(frozen=True)
class PricePosition:
    """Where the dial of a bundle with statistics stands.

    Attributes:
        decibels_per_bit: that a further bit of a tile has to save of its picture, at least.
        decibels_per_millisecond: the same of the tile's time; None where bits are paid for.

    """

    decibels_per_bit: float
    decibels_per_millisecond: float | None

    @classmethod
    def of_time(cls, decibels_per_bit: float, seconds_per_bit: float) -> PricePosition:
        """Return the position where a bit costs so much time, 0 if it is not paid for."""
        per_millisecond = decibels_per_bit / (1000 * seconds_per_bit) if seconds_per_bit else None
        return cls(decibels_per_bit, per_millisecond)


def turn_price_dial(
    trade_off: TradeOff | None, request: Request, flat_loss: float, price: int
) -> PriceStart:
    """Find the price for a request.

    Args:
        trade_off: of the bundle.
        request: what is asked for.
        flat_loss: dB that interpolating flat tiles costs.
        price: where the dial stands if it is not turned.

    Raises:
        RequestError: the bundle's dial does not reach the request, or there is none.

    """
    if request.fab is None and request.max_loss is None:
        return PriceStart(price, None if trade_off is None else trade_off.predictor.loss_db)
    if trade_off is None:
        raise RequestError("this bundle has no bit budget dial: export its checkpoint again")
    points = trade_off.prices
    if request.fab is not None:
        return _price_of_fab(points, request.fab)
    assert request.max_loss is not None
    good = [point for point in points if point.loss_db + flat_loss <= request.max_loss]
    if not good:
        smallest = points[-1].loss_db + flat_loss
        raise RequestError(f"max-loss {request.max_loss} is below the smallest one, {smallest}")
    return PriceStart(good[0].price, good[0].loss_db)


def turn_price_to_seconds(
    trade_off: TradeOff | None,
    request: Request,
    flat: FlatTiles | None,
    costs: Costs | None,
    crew: Crew | None,
) -> tuple[PriceStart, float]:
    """Find the price to begin with for a request in time, and the seconds that a tile may take.

    The price is that of the calibration's FAB at which tiles would take so long, if each had the
    two widths around it.

    Args:
        trade_off: of the bundle.
        request: what is asked for.
        flat: interpolated tiles, as calibrated; None if none are.
        costs: of tiles on this device.
        crew: the picture; needed for ``max_seconds``.

    Raises:
        RequestError: the bundle's dial does not reach the request, or there is none.

    """
    if costs is None:
        raise RequestError("speed and max-seconds need the costs of tiles on this device")
    if trade_off is None:
        raise RequestError("this bundle has no bit budget dial: export its checkpoint again")
    narrowest = costs.useful[0]
    allowed = allow_seconds(request, costs, crew, costs.seconds[narrowest])
    share = 0.0 if flat is None else flat.share
    for_network = (allowed - share * costs.seconds[INTERPOLATED]) / (1 - share) if share < 1 else 0
    taken = [costs.seconds[width] for width in costs.useful]
    fab = float(np.interp(for_network, taken, costs.useful))
    return _price_of_fab(trade_off.prices, max(fab, trade_off.prices[0].fab)), allowed


def _price_of_fab(points: list[PricePoint], fab: float) -> PriceStart:
    """Between two positions, price and loss lie between theirs."""
    if fab < points[0].fab:
        raise RequestError(f"fab {fab} is below the smallest one, {points[0].fab}")
    if fab <= BIT_WIDTHS[0]:  # what no other price keeps to
        return PriceStart(NEVER, points[0].loss_db)
    if fab >= points[-1].fab:
        return PriceStart(points[-1].price, points[-1].loss_db)
    after = bisect_left([point.fab for point in points], fab, lo=1)
    low, high = points[after - 1], points[after]
    share = (fab - low.fab) / (high.fab - low.fab)
    return PriceStart(
        low.price + share * (high.price - low.price),
        low.loss_db + share * (high.loss_db - low.loss_db),
    )
