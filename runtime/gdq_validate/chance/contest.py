"""Runs the contest: pictures on every route, and as the dial routes them at several positions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gdq_core.bit_widths import INTERPOLATED, SMALL
from gdq_core.errors import RequestError
from gdq_core.pictures.rows import ArraySink, ArraySource
from gdq_runtime.bit_map import compute_network_fab
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.base import Engine
from gdq_runtime.engines.costs import Costs
from gdq_runtime.routing.request import Request
from gdq_runtime.routing.router import Router
from gdq_runtime.tile_runner import TileRunner
from gdq_runtime.tiles.tiling import TilePlan
from gdq_runtime.tiles.workers import Workers
from gdq_runtime.timings import Stopwatch
from gdq_validate.chance.decider import Decider
from gdq_validate.chance.errors import Picture, PictureErrors, measure_errors
from gdq_validate.chance.losses import Floats, Market, Outcome
from gdq_validate.chance.report import AgainstChance, FixedRoute, RoutedPoint

_FABS: Final = (4.2, 4.6, 5.0, 6.0)
_TIMES: Final = (0.2, 0.4, 0.6, 0.8)
"""Of the way from the largest route's time to the fastest's."""

BitMap = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class _Position:
    """A position of the dial, and the bit maps that it gave so far."""

    dial: str
    router: Router
    bit_maps: list[BitMap] = field(default_factory=list)


class Contest:
    """Collects pictures, then compares."""

    def __init__(
        self,
        bundle: Bundle,
        engine: Engine,
        workers: Workers,
        costs: Costs | None,
        request: Request,
    ) -> None:
        """Turn the dials.

        Args:
            bundle: what to compare.
            engine: open on it.
            workers: threads for the tiles.
            costs: of tiles on this device; None leaves time out.
            request: its ``fab`` or ``speed`` is the only position; several without either.

        Raises:
            RequestError: the dial does not reach the position that is asked for.

        """
        self._bundle, self._engine, self._workers, self._costs = bundle, engine, workers, costs
        self._pictures: list[PictureErrors] = []
        self._by_bits, self._by_time = _list_positions(bundle, costs, request)

    def add(self, low: Picture, truth: Picture) -> None:
        """Measure and route a picture (height, width, 3) with its ground truth."""
        self._pictures.append(measure_errors(self._bundle, self._engine, self._workers, low, truth))
        for position in (*self._by_bits, *self._by_time):
            position.bit_maps.append(self._route(position.router, low))

    def judge(self) -> AgainstChance:
        """Compare over all pictures that were added, at least one."""
        routes = self._bundle.routes
        bits = {route: float(route % SMALL) for route in routes}
        market = Market(self._pictures, bits)
        by_bits = [self._judge(one, market, self._fabs(one)) for one in self._by_bits]
        by_time = []
        if self._costs is not None:
            seconds = self._costs.seconds
            in_time = {route: seconds[route] for route in routes}
            market = Market(self._pictures, in_time, seconds[INTERPOLATED])
            by_time = [self._judge(one, market, self._seconds(one)) for one in self._by_time]
        return AgainstChance(
            fixed=[self._judge_fixed(route) for route in routes], by_bits=by_bits, by_time=by_time
        )

    def _judge(self, position: _Position, market: Market, prices: Floats) -> RoutedPoint:
        pairs = list(zip(self._pictures, position.bit_maps, strict=True))
        losses = np.array([picture.loss(picture.of_bit_map(made)) for picture, made in pairs])
        of_chance, interval = market.judge(Outcome(losses, prices))
        price = float(prices.mean())
        return RoutedPoint(
            dial=position.dial,
            fab=float(self._fabs(position).mean()),
            milliseconds_per_tile=None
            if self._costs is None
            else 1000 * float(self._seconds(position).mean()),
            loss_db=float(losses.mean()),
            chance_db=market.by_chance(price),
            oracle_db=market.by_oracle(price),
            of_chance=of_chance,
            interval=interval,
        )

    def _judge_fixed(self, route: int) -> FixedRoute:
        column = self._pictures[0].routes.index(route)
        losses = [picture.loss(float(picture.fixed[column])) for picture in self._pictures]
        return FixedRoute(
            route=route,
            fab=route % SMALL,
            milliseconds_per_tile=None
            if self._costs is None
            else 1000 * self._costs.seconds[route],
            loss_db=float(np.mean(losses)),
        )

    def _fabs(self, position: _Position) -> Floats:
        return np.array([compute_network_fab(bit_map) for bit_map in position.bit_maps])

    def _seconds(self, position: _Position) -> Floats:
        assert self._costs is not None
        asks = position.router.asks_predictor
        return np.array(
            [self._costs.tile_seconds(made, is_predicted=asks) for made in position.bit_maps]
        )

    def _route(self, router: Router, low: Picture) -> BitMap:
        scale, tiling = self._bundle.manifest.network.scale, self._bundle.manifest.tiling
        plan = TilePlan(low.shape[1], low.shape[0], tiling.size, tiling.overlap)
        unseen = ArraySink(plan.height * scale, plan.width * scale, 3)
        decider = Decider(self._engine, scale)
        runner = TileRunner(decider, self._workers, router, scale, Stopwatch(), None)
        return runner.run(ArraySource(low), unseen, plan)


def _list_positions(
    bundle: Bundle, costs: Costs | None, request: Request
) -> tuple[list[_Position], list[_Position]]:
    is_free = request.fab is None and request.speed is None
    fabs = _FABS if is_free else () if request.fab is None else (request.fab,)
    if bundle.small is not None and is_free:
        fabs = ()  # says nothing of what two networks cost
    by_bits = [
        (f"--fab {fab:g}", replace(request, fab=fab, flat_tiles="network"), None) for fab in fabs
    ]
    speeds: tuple[float, ...] = () if request.speed is None else (request.speed,)
    if is_free and costs is not None:
        speeds = _spread_speeds(costs)
    by_time = [(f"--speed {speed:.3g}x", replace(request, speed=speed), costs) for speed in speeds]
    return _open(bundle, by_bits, is_free=is_free), _open(bundle, by_time, is_free=is_free)


def _spread_speeds(costs: Costs) -> tuple[float, ...]:
    """Return speeds between that of the largest route and that of the fastest."""
    largest = costs.largest_seconds
    fastest = min(costs.seconds[route] for route in costs.routes)
    if fastest == largest:
        return ()
    return tuple(
        math.floor(100 * largest / (largest - share * (largest - fastest))) / 100
        for share in _TIMES
    )


def _open(
    bundle: Bundle, wanted: Sequence[tuple[str, Request, Costs | None]], *, is_free: bool
) -> list[_Position]:
    positions = []
    for dial, request, costs in wanted:
        try:
            positions.append(_Position(dial, Router.create(bundle, request, costs)))
        except RequestError:
            if not is_free:
                raise
            # The dial of this bundle does not reach so far.
    return positions
