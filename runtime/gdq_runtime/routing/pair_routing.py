"""Routes between two networks: what a request demands, and how pictures are begun."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gdq_core.bit_widths import INTERPOLATED
from gdq_core.errors import RequestError
from gdq_core.sensitivity.pair import PairRule, PairSensitivity
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.costs import Costs
from gdq_runtime.engines.sensing import PairSense, open_pair_sense
from gdq_runtime.routing.dial import Crew, allow_seconds
from gdq_runtime.routing.pair_dial import (
    PairPosition,
    list_pair_positions,
    position_within_cost,
    position_within_loss,
    relative_costs,
)
from gdq_runtime.routing.price_control import PriceControl
from gdq_runtime.routing.priced_picture import PricedPicture
from gdq_runtime.routing.request import Request
from gdq_runtime.routing.timed_picture import TimeDial, TimedPicture


@dataclass(frozen=True, eq=False)
class PairRouting:
    """How a bundle of two networks routes; its price lives on from picture to picture.

    Attributes:
        rule: of the two networks.
        costs: of the routes to choose among and of interpolation, see ``relative_costs``.
        start: where the dial begins.
        control: the price.
        sense: computes the heads of a tile.
        interpolates: whether flat tiles may be interpolated.
        timed: what pictures may take; None without a bound.

    """

    rule: PairRule
    costs: Mapping[int, float]
    start: PairPosition
    control: PriceControl
    sense: PairSense
    interpolates: bool
    timed: TimeDial | None

    def with_control(self, control: PriceControl) -> PairRouting:
        """See ``PictureRouting``."""
        return replace(self, control=control)

    def position(self, _costs: Costs | None) -> PairPosition:
        """See ``PictureRouting``; a price that follows its target stands where it was left."""
        return replace(self.start, price=self.control.price)

    def open_picture(self, tiles: int) -> PricedPicture | TimedPicture[PairSensitivity]:
        """Begin a picture of so many tiles."""
        if self.timed is not None:
            return TimedPicture(self.rule, self.timed, tiles, interpolates=self.interpolates)
        return PricedPicture(self.rule, self.costs, self.control, interpolates=self.interpolates)


def create_pair_routing(
    bundle: Bundle,
    request: Request,
    costs: Costs | None,
    crew: Crew | None,
    *,
    interpolates: bool,
) -> PairRouting:
    """Turn the dial as far as a request demands.

    Args:
        bundle: of two networks.
        request: of the user; one bit-width is one of the large network.
        costs: of tiles on this device; needed for a dial in time.
        crew: the picture; needed for ``max_seconds``.
        interpolates: whether flat tiles may be interpolated.

    Raises:
        BundleError: there is no subgraph of the bit-width asked for.
        RequestError: the dial does not reach that far.

    """
    if request.fab is not None or request.fab_cap is not None:
        raise RequestError(
            "fab and fab-cap count the bits of one network, and this bundle has two: give speed, "
            "max-seconds or max-loss"
        )
    relative = relative_costs(bundle, costs)
    routes = _list_routes(bundle, request, costs)
    positions = list_pair_positions(bundle, routes, relative, interpolates=interpolates)
    timed = None
    if request.asks_for_time:
        position, timed = _turn_to_seconds(request, positions, costs, crew)
    else:
        position = _turn_to_loss(bundle, request, positions)
    rule = bundle.pair_rule()
    return PairRouting(
        rule=rule,
        costs={route: relative[route] for route in (*routes, INTERPOLATED)},
        start=position,
        control=PriceControl(rule.large, position.price, max_loss=request.max_loss or None),
        sense=open_pair_sense(rule),
        interpolates=interpolates,
        timed=timed,
    )


def _list_routes(bundle: Bundle, request: Request, costs: Costs | None) -> tuple[int, ...]:
    """List what tiles that are not flat may get: where costs are known, only what pays."""
    if request.bits != "auto":
        return (bundle.subgraph(request.bits).bit_width,)
    return bundle.routes if costs is None else costs.routes


def _turn_to_loss(bundle: Bundle, request: Request, positions: list[PairPosition]) -> PairPosition:
    """Lose as much as was asked for, or else as the bundle proposes where it can."""
    if request.max_loss is not None:
        return position_within_loss(positions, request.max_loss)
    assert bundle.manifest.small is not None
    return position_within_loss(
        positions, max(bundle.manifest.small.loss_db, positions[-1].loss_db)
    )


def _turn_to_seconds(
    request: Request, positions: list[PairPosition], costs: Costs | None, crew: Crew | None
) -> tuple[PairPosition, TimeDial]:
    if costs is None:
        raise RequestError("speed and max-seconds need the costs of tiles on this device")
    fewest = min(costs.seconds[route] for route in costs.routes)
    allowed = allow_seconds(request, costs, crew, fewest)
    position = position_within_cost(positions, allowed / costs.largest_seconds)
    return position, TimeDial(costs, allowed)
