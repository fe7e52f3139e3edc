"""Where a bundle's dial stands: what is fastest here, or needs fewest bits, and keeps the request.

Where the costs of tiles are known, positions are compared by them, and widths that a wider one is
as fast as are exchanged for it. Each position then loses no more than the bundle says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gdq_core.bit_widths import BIT_WIDTHS, INTERPOLATED
from gdq_core.errors import RequestError
from gdq_runtime.bundle.manifest import FlatTiles, OperatingPoint, TradeOff
from gdq_runtime.engines.costs import Costs
from gdq_runtime.routing.budget import Bound, Budget
from gdq_runtime.routing.request import Request

FOR_TILES: Final = 0.9
"""Share of a picture's time that its tiles may take of ``max_seconds``: the rest is for decoding,
stitching and encoding, which take 3 to 8 % (docs/performance.md)."""


@dataclass(frozen=True)
class Crew:
    """What a picture asks of the machine.

    Attributes:
        tiles: of the picture, at least 1.
        workers: that run them in parallel, at least 1.

    """

    tiles: int
    workers: int

    def elapsed(self, tile_seconds: float) -> float:
        """Return the seconds of the picture, given the mean of its tiles."""
        return self.tiles * tile_seconds / self.workers / FOR_TILES


@dataclass(frozen=True)
class Dial:
    """A dial that was turned.

    Attributes:
        positions: cheapest first, each better than those before; it stands at the last.
        bound: that every picture has to keep; None if there is none.

    """

    positions: tuple[OperatingPoint, ...]
    bound: Bound | None = None

    @property
    def point(self) -> OperatingPoint:
        """Where the dial stands."""
        return self.positions[-1]

    def open_budget(self) -> Budget | None:
        """Begin a picture; None if nothing is bounded."""
        return None if self.bound is None else Budget(self.positions, self.bound)


def turn_dial(
    trade_off: TradeOff | None,
    request: Request,
    flat: FlatTiles | None,
    costs: Costs | None,
    crew: Crew | None,
) -> Dial | None:
    """Turn the dial as far as a request demands; None if it does not ask for it.

    Args:
        trade_off: the bundle's dial, if it has one.
        request: of the user.
        flat: interpolated tiles, as calibrated; None if none are.
        costs: of tiles on this device; needed for a dial in time.
        crew: the picture; needed for ``max_seconds``.

    Raises:
        RequestError: the dial does not reach that far, or there is none.

    """
    if request.fab is None and request.max_loss is None and not request.asks_for_time:
        return None
    if trade_off is None:
        raise RequestError("this bundle has no bit budget dial: export its checkpoint again")
    positions = list_positions(trade_off, costs)
    if request.fab is not None:
        return _turn_to_fab(trade_off, positions, request.fab)
    if request.max_loss is not None:
        return _turn_to_loss(positions, request.max_loss, 0.0 if flat is None else flat.loss_db)
    if costs is None:
        raise RequestError("speed and max-seconds need the costs of tiles on this device")
    allowed = allow_seconds(request, costs, crew, position_seconds(positions[0], costs))
    return _turn_to_seconds(positions, costs, allowed, flat)


def list_positions(trade_off: TradeOff, costs: Costs | None) -> list[OperatingPoint]:
    """Return the positions that are worth having, cheapest first and each better than the last.

    In time, all tiles at one width are positions, too: they save the predictor.
    """
    if costs is None:
        return list(trade_off.points)
    points = [*trade_off.points, *_list_fixed(trade_off, costs)]
    exchanged = [_exchange(point, costs) for point in points]
    exchanged.sort(key=lambda point: (position_seconds(point, costs), point.loss_db))
    best = exchanged[:1]
    for point in exchanged[1:]:
        if point.loss_db < best[-1].loss_db:
            best.append(point)
    return best


def position_seconds(point: OperatingPoint, costs: Costs) -> float:
    """Return the seconds of a tile that the network runs; bins hold equally many tiles."""
    widths = point.bit_widths
    predict = 0.0 if _is_uniform(point) else costs.predict
    return sum(costs.seconds[width] for width in widths) / len(widths) + predict


def expected_seconds(point: OperatingPoint, flat: FlatTiles | None, costs: Costs) -> float:
    """Return the seconds of a tile if as many are interpolated as in the calibration."""
    share = 0.0 if flat is None else flat.share
    return share * costs.seconds[INTERPOLATED] + (1 - share) * position_seconds(point, costs)


def _list_fixed(trade_off: TradeOff, costs: Costs) -> list[OperatingPoint]:
    bins = len(trade_off.bin_edges) + 1
    return [
        OperatingPoint(fab=fixed.fab, loss_db=fixed.loss_db, bit_widths=[width] * bins)
        for fixed in trade_off.fixed
        for width in BIT_WIDTHS
        if width == fixed.fab and width in costs.seconds
    ]


def _exchange(point: OperatingPoint, costs: Costs) -> OperatingPoint:
    widths = [costs.exchange(width) for width in point.bit_widths]
    more = (sum(widths) - sum(point.bit_widths)) / len(widths)
    return point.model_copy(update={"bit_widths": widths, "fab": point.fab + more})


def _turn_to_fab(trade_off: TradeOff, positions: list[OperatingPoint], fab: float) -> Dial:
    """Spend at most so many bits, even where fewer of them save no time: it was asked for."""
    points = trade_off.points
    affordable = [point for point in positions if point.fab <= fab]
    affordable = affordable or [point for point in points if point.fab <= fab]
    if not affordable:
        raise RequestError(f"fab {fab} is below the smallest one, {points[0].fab}")
    return Dial(tuple(affordable), Bound.of_bits(fab))


def _turn_to_loss(positions: list[OperatingPoint], max_loss: float, flat_loss: float) -> Dial:
    losses = [point.loss_db + flat_loss for point in positions]
    good = [number for number, loss in enumerate(losses) if loss <= max_loss]
    if not good:
        raise RequestError(f"max-loss {max_loss} is below the smallest one, {losses[-1]}")
    return Dial(tuple(positions[: good[0] + 1]))


def allow_seconds(request: Request, costs: Costs, crew: Crew | None, fewest: float) -> float:
    """Return the seconds of processor time that a tile may take, on average over a picture.

    Args:
        request: for a speed, or for seconds of a picture.
        costs: of tiles on this device.
        crew: the picture; needed for ``max_seconds``.
        fewest: seconds that a tile takes with the fewest bits.

    Raises:
        RequestError: not even the fewest bits take so little, where no tile is interpolated.

    """
    if request.speed is not None:
        allowed = costs.largest_seconds / request.speed
        sentence = (
            f"speed {request.speed:g}x is out of reach: on this device the fewest bits are "
            f"{costs.largest_seconds / fewest:.2f} times as fast as the most"
        )
    else:
        assert request.max_seconds is not None
        if crew is None:
            raise RequestError("max-seconds needs to know the picture")
        allowed = FOR_TILES * request.max_seconds * crew.workers / crew.tiles
        sentence = (
            f"max-seconds {request.max_seconds:g} is out of reach: with the fewest bits, "
            f"{crew.tiles} tiles on {crew.workers} threads take {crew.elapsed(fewest):.3g} s on "
            "this device"
        )
    if fewest > allowed:
        raise RequestError(sentence)
    return allowed


def _turn_to_seconds(
    positions: list[OperatingPoint], costs: Costs, allowed: float, flat: FlatTiles | None
) -> Dial:
    """Lose least in the time; each picture is held to it, however many flat tiles it has."""
    expected = [expected_seconds(point, flat, costs) for point in positions]
    fast = [number for number, seconds in enumerate(expected) if seconds <= allowed]
    chosen = positions[: fast[-1] + 1] if fast else positions[:1]
    if position_seconds(chosen[-1], costs) <= allowed and _is_uniform(chosen[-1]):
        return Dial((chosen[-1],))
    prices = {
        route: seconds if route == INTERPOLATED else seconds + costs.predict
        for route, seconds in costs.seconds.items()
    }
    narrowest = max(prices[width] for width in positions[0].bit_widths)
    return Dial(tuple(chosen if narrowest <= allowed else positions[:1]), Bound(allowed, prices))


def _is_uniform(point: OperatingPoint) -> bool:
    """Tell whether all bins have one width, so that the predictor need not be asked."""
    return len(set(point.bit_widths)) == 1
