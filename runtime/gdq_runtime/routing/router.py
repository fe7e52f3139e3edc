"""Decides which subgraph runs a tile, or that none has to; the only place that does."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdq_core.errors import RequestError
from gdq_core.sensitivity.heads import Sensitivity
from gdq_core.sensitivity.prices import PriceSteps, decibels_per_bit
from gdq_core.sensitivity.rule import SensitivityRule
from gdq_runtime.bundle.manifest import FlatTiles, Manifest, Signal, TradeOff
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.base import Prediction
from gdq_runtime.engines.costs import Costs
from gdq_runtime.engines.sensing import Sense, open_sense
from gdq_runtime.routing.budget import Budget
from gdq_runtime.routing.dial import Crew, Dial, expected_seconds, turn_dial
from gdq_runtime.routing.gradients import mean_gradient
from gdq_runtime.routing.pair_dial import PairPosition
from gdq_runtime.routing.pair_routing import create_pair_routing
from gdq_runtime.routing.picture_routing import PictureRouting
from gdq_runtime.routing.price_control import PriceControl
from gdq_runtime.routing.price_dial import (
    PricePosition,
    turn_price_dial,
    turn_price_to_seconds,
)
from gdq_runtime.routing.request import Request
from gdq_runtime.routing.sensed_picture import SensedPicture
from gdq_runtime.routing.timed_picture import TimeDial, TimedPicture

Predict = Callable[[NDArray[np.uint8]], Prediction]
"""Asks the predictor; only done where its answer is needed."""


@dataclass(frozen=True, eq=False)
class SensedRouting:
    """How a bundle with statistics routes; its price lives on from picture to picture.

    Attributes:
        rule: of the bundle.
        steps: from how far above the price a score buys each width: the rule's where bits are paid
            for, others where time is.
        control: the price.
        sense: computes the heads of a tile.
        forced: the one width for tiles that are not flat, or None.
        interpolates: whether flat tiles are left to interpolation.
        cap: largest mean bits of the network's tiles in every picture; None without a bound.
        timed: what pictures may take; None without a bound.

    """

    rule: SensitivityRule
    steps: PriceSteps
    control: PriceControl
    sense: Sense
    forced: int | None
    interpolates: bool
    cap: float | None
    timed: TimeDial | None = None

    def with_control(self, control: PriceControl) -> SensedRouting:
        """See ``PictureRouting``."""
        return replace(self, control=control)

    def position(self, costs: Costs | None) -> PricePosition:
        """See ``PictureRouting``."""
        per_bit = 0.0 if costs is None else costs.seconds_per_bit
        return PricePosition.of_time(decibels_per_bit(self.control.price), per_bit)

    def open_picture(self, tiles: int) -> SensedPicture | TimedPicture[Sensitivity]:
        """Begin a picture of so many tiles."""
        if self.timed is not None:
            return TimedPicture(self.rule, self.timed, tiles, interpolates=self.interpolates)
        rule = replace(self.rule, steps=self.steps)
        return SensedPicture(rule, self.control, self.forced, self.interpolates, self.cap)


@dataclass(frozen=True)
class Router:
    """Prediction and request -> a bit-width that the bundle has, or none at all.

    Attributes:
        available: bit-widths with a subgraph, ascending.
        forced: the one bit-width for all tiles, or None if the predictor decides.
        trade_off: what the dial is of; None if the bundle has none.
        dial: as it was turned; None if the predictor's own decision counts.
        costs: of tiles on this device, which exchange useless widths; None if bits alone count.
        flat_below: mean gradient up to which a tile is interpolated; None if none is.
        expected_loss: dB of PSNR below all tiles at the largest width, as calibrated; None if the
            bundle does not say.
        expected_seconds: processor time of a tile, as the dial's position or the one bit-width
            makes expect; None if costs are not known or the predictor decides.
        sensed: how statistics decide; None of a bundle with a gate, and where nothing is decided.

    """

    available: tuple[int, ...]
    forced: int | None = None
    trade_off: TradeOff | None = None
    dial: Dial | None = None
    costs: Costs | None = None
    flat_below: float | None = None
    expected_loss: float | None = None
    expected_seconds: float | None = None
    sensed: PictureRouting[Any] | None = None

    @classmethod
    def create(
        cls,
        bundle: Bundle,
        request: Request,
        costs: Costs | None = None,
        crew: Crew | None = None,
    ) -> Router:
        """Check the request against the bundle.

        Args:
            bundle: what is run.
            request: of the user.
            costs: of tiles on this device; None to go by bits alone, as a dial in time cannot.
            crew: the picture; needed for ``max_seconds``.

        Raises:
            BundleError: there is no subgraph of the bit-width asked for.
            RequestError: the bundle's dial does not reach that far, or there is none.

        """
        manifest = bundle.manifest
        if bundle.small is not None:
            return cls._create_paired(bundle, request, costs, crew)
        if manifest.predictor.sensitivity is not None:
            rule = manifest.predictor.sensitivity.rule()
            return cls._create_sensed(bundle, request, rule, costs, crew)
        if request.fab_cap is not None:
            raise RequestError("this bundle keeps fab in every picture: give fab, not fab-cap")
        forced = None if request.bits == "auto" else bundle.subgraph(request.bits).bit_width
        flat = manifest.flat_tiles if _interpolates(manifest, request) else None
        flat_loss = 0.0 if flat is None else flat.loss_db
        dial = turn_dial(manifest.trade_off, request, flat, costs, crew)
        loss = _expected_loss(manifest.trade_off, forced, dial, costs)
        return cls(
            available=bundle.bit_widths,
            forced=forced,
            trade_off=manifest.trade_off,
            dial=dial,
            costs=costs,
            flat_below=None if flat is None else flat.largest_gradient,
            expected_loss=None if loss is None else loss + flat_loss,
            expected_seconds=_expect_seconds(forced, dial, flat, costs),
        )

    @property
    def position(self) -> tuple[int, ...] | PricePosition | PairPosition | None:
        """Where the dial stands: bit-widths of a gate's bins, or the price; None without a dial.

        A price that follows its target stands where the last tile left it.
        """
        if self.dial is not None:
            return tuple(self.dial.point.bit_widths)
        if self.sensed is None or self.forced is not None:
            return None
        return self.sensed.position(self.costs)

    @classmethod
    def _create_sensed(
        cls,
        bundle: Bundle,
        request: Request,
        rule: SensitivityRule,
        costs: Costs | None,
        crew: Crew | None,
    ) -> Router:
        manifest, trade_off = bundle.manifest, bundle.manifest.trade_off
        forced = None if request.bits == "auto" else bundle.subgraph(request.bits).bit_width
        flat = manifest.flat_tiles if _interpolates(manifest, request) else None
        flat_loss = 0.0 if flat is None else flat.loss_db
        timed = None
        start = turn_price_dial(trade_off, request, flat_loss, rule.price)
        if request.asks_for_time:
            start, allowed = turn_price_to_seconds(trade_off, request, flat, costs, crew)
            assert costs is not None
            timed = TimeDial(costs, allowed)
        # A mean of bits was asked for: it is met even where fewer of them save no time.
        in_time = None if request.fab is not None or request.fab_cap is not None else costs
        if forced is None:
            loss = _exchanged_loss(start.loss_db, trade_off, in_time)
        else:
            loss = _fixed_loss(trade_off, forced)
        sensed = SensedRouting(
            rule=rule,
            steps=rule.steps if in_time is None else rule.steps.with_costs(in_time.in_bits),
            control=PriceControl(
                rule, start.price, fab=request.fab, max_loss=request.max_loss or None
            ),
            sense=open_sense(rule),
            forced=forced,
            interpolates=flat is not None,
            cap=request.fab_cap,
            timed=timed,
        )
        return cls(
            available=bundle.bit_widths,
            forced=forced,
            costs=in_time,
            expected_loss=None if loss is None else loss + flat_loss,
            expected_seconds=_expect_seconds(forced, None, flat, costs)
            if timed is None
            else min(timed.seconds, timed.costs.largest_seconds),
            sensed=sensed if forced is None or flat is not None else None,
        )

    @classmethod
    def _create_paired(
        cls, bundle: Bundle, request: Request, costs: Costs | None, crew: Crew | None
    ) -> Router:
        interpolates = _interpolates(bundle.manifest, request)
        routing = create_pair_routing(bundle, request, costs, crew, interpolates=interpolates)
        forced = None if request.bits == "auto" else request.bits
        start = routing.start
        return cls(
            available=bundle.routes,
            forced=forced,
            expected_loss=start.loss_db,
            expected_seconds=None if costs is None else start.cost * costs.largest_seconds,
            sensed=routing if forced is None or interpolates else None,
        )

    def needs_network(self, tile: NDArray[np.uint8]) -> bool:
        """Tell whether a (height, width, 3) tile is worth a network."""
        return self.flat_below is None or mean_gradient(tile) > self.flat_below

    def route(self, tile: NDArray[np.uint8], predict: Predict) -> int:
        """Choose the bit-width of the dial, or the predicted one if the dial is not turned.

        If the bundle has not got the predicted width, the next larger one is chosen: rounding up
        costs time, rounding down would cost the quality that the gate asked for.
        """
        if self.forced is not None:
            return self.forced
        if self.dial is not None:
            widths = self.dial.point.bit_widths
            return widths[self.bin_of(tile, predict) if len(set(widths)) > 1 else 0]
        return self.as_available(predict(tile).bit_width)

    def as_available(self, bit_width: int) -> int:
        """Return the smallest bit-width not below this one that the bundle has and that pays."""
        sufficient = [width for width in self.available if width >= bit_width]
        width = min(sufficient, default=self.available[-1])
        return width if self.costs is None else self.costs.exchange(width)

    @property
    def asks_predictor(self) -> bool:
        """Whether the predictor is asked for tiles that the network runs; statistics are free."""
        if self.sensed is not None:
            return False
        if self.dial is None:
            return self.forced is None
        return self.dial.bound is not None or len(set(self.dial.point.bit_widths)) > 1

    def bin_of(self, tile: NDArray[np.uint8], predict: Predict) -> int:
        """Return the number of the dial's bin that a tile falls into."""
        assert self.trade_off is not None
        assert self.trade_off.signal is not None
        signal = _read_signal(self.trade_off.signal, tile, predict)
        return bisect_left(self.trade_off.bin_edges, signal)

    def open_budget(self) -> Budget | None:
        """Begin a picture; None if nothing bounds it."""
        return None if self.dial is None else self.dial.open_budget()


def _interpolates(manifest: Manifest, request: Request) -> bool:
    flat = manifest.flat_tiles
    if request.flat_tiles == "interpolate":
        if flat is None:
            raise RequestError("this bundle was calibrated for no interpolation of flat tiles")
        if request.max_loss is not None and request.max_loss < flat.loss_db:
            raise RequestError(
                f"interpolating flat tiles loses {flat.loss_db:.4f} dB, more than max-loss "
                f"{request.max_loss}: leave them to the network"
            )
        return True
    if flat is None or request.flat_tiles == "network":
        return False
    has_room = request.max_loss is None or request.max_loss >= flat.loss_db
    return request.policy == "uniform" and request.bits == "auto" and has_room


def _expected_loss(
    trade_off: TradeOff | None, forced: int | None, dial: Dial | None, costs: Costs | None
) -> float | None:
    if dial is not None:
        return dial.point.loss_db
    if forced is not None or trade_off is None:
        return _fixed_loss(trade_off, forced)
    return _exchanged_loss(trade_off.predictor.loss_db, trade_off, costs)


def _exchanged_loss(
    loss: float | None, trade_off: TradeOff | None, costs: Costs | None
) -> float | None:
    """Bound the loss where widths are exchanged: no tile gets less than the narrowest useful."""
    fixed = None if costs is None else _fixed_loss(trade_off, costs.useful[0])
    return loss if loss is None or fixed is None else min(loss, fixed)


def _fixed_loss(trade_off: TradeOff | None, bit_width: int | None) -> float | None:
    points = [] if trade_off is None else trade_off.fixed
    return next((point.loss_db for point in points if point.fab == bit_width), None)


def _expect_seconds(
    forced: int | None, dial: Dial | None, flat: FlatTiles | None, costs: Costs | None
) -> float | None:
    if costs is None:
        return None
    if dial is not None:
        return expected_seconds(dial.point, flat, costs)
    return None if forced is None else costs.seconds[forced]


def _read_signal(signal: Signal, tile: NDArray[np.uint8], predict: Predict) -> float:
    match signal:
        case "entropy":
            return predict(tile).entropy
        case "gate_margin":
            logits = predict(tile).logits
            return float(logits[-1] - logits[0])
