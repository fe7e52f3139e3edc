"""Decides which subgraph runs a tile, or that none has to; the only place that does."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gdq_core.errors import RequestError
from gdq_runtime.bundle.manifest import Manifest, OperatingPoint, Signal, TradeOff
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.base import Prediction
from gdq_runtime.routing.budget import Budget
from gdq_runtime.routing.gradients import mean_gradient
from gdq_runtime.routing.request import Request

Predict = Callable[[NDArray[np.uint8]], Prediction]
"""Asks the predictor; only done where its answer is needed."""


@dataclass(frozen=True)
class Router:
    """Prediction and request -> a bit-width that the bundle has, or none at all.

    Attributes:
        available: bit-widths with a subgraph, ascending.
        forced: the one bit-width for all tiles, or None if the predictor decides.
        trade_off: the bundle's dial; None if it has none or is not turned.
        point: where the dial stands; None if the predictor's own decision counts.
        budget: largest mean bits of a picture's tiles; None if there is no bound.
        flat_below: mean gradient up to which a tile is interpolated; None if none is.
        expected_loss: dB of PSNR below all tiles at the largest width, as calibrated; None if the
            bundle does not say.

    """

    available: tuple[int, ...]
    forced: int | None = None
    trade_off: TradeOff | None = None
    point: OperatingPoint | None = None
    budget: float | None = None
    flat_below: float | None = None
    expected_loss: float | None = None

    @classmethod
    def create(cls, bundle: Bundle, request: Request) -> Router:
        """Check the request against the bundle.

        Raises:
            BundleError: there is no subgraph of the bit-width asked for.
            RequestError: the bundle's dial does not reach that far, or there is none.

        """
        manifest = bundle.manifest
        forced = None if request.bits == "auto" else bundle.subgraph(request.bits).bit_width
        flat = manifest.flat_tiles if _interpolates(manifest, request) else None
        flat_loss = 0.0 if flat is None else flat.loss_db
        point = _turn_dial(manifest, request, flat_loss)
        loss = _expected_loss(manifest.trade_off, forced, point)
        return cls(
            available=bundle.bit_widths,
            forced=forced,
            trade_off=manifest.trade_off,
            point=point,
            budget=request.fab,
            flat_below=None if flat is None else flat.largest_gradient,
            expected_loss=None if loss is None else loss + flat_loss,
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
        if self.point is not None:
            return self.point.bit_widths[self.bin_of(tile, predict)]
        predicted = predict(tile).bit_width
        sufficient = [width for width in self.available if width >= predicted]
        return min(sufficient, default=self.available[-1])

    def bin_of(self, tile: NDArray[np.uint8], predict: Predict) -> int:
        """Return the number of the dial's bin that a tile falls into."""
        assert self.trade_off is not None
        signal = _read_signal(self.trade_off.signal, tile, predict)
        return bisect_left(self.trade_off.bin_edges, signal)

    def open_budget(self) -> Budget | None:
        """Begin a picture; None if its bits are not bounded."""
        if self.budget is None or self.trade_off is None or self.point is None:
            return None
        return Budget(self.trade_off.points, self.point, self.budget)


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


def _turn_dial(manifest: Manifest, request: Request, flat_loss: float) -> OperatingPoint | None:
    if request.fab is None and request.max_loss is None:
        return None
    if manifest.trade_off is None:
        raise RequestError("this bundle has no bit budget dial: export its checkpoint again")
    points = manifest.trade_off.points
    if request.fab is not None:
        affordable = [point for point in points if point.fab <= request.fab]
        if not affordable:
            raise RequestError(f"fab {request.fab} is below the smallest one, {points[0].fab}")
        return affordable[-1]
    assert request.max_loss is not None
    good = [point for point in points if point.loss_db + flat_loss <= request.max_loss]
    if not good:
        smallest = points[-1].loss_db + flat_loss
        raise RequestError(f"max-loss {request.max_loss} is below the smallest one, {smallest}")
    return good[0]


def _expected_loss(
    trade_off: TradeOff | None, forced: int | None, point: OperatingPoint | None
) -> float | None:
    if point is not None:
        return point.loss_db
    if trade_off is None:
        return None
    if forced is None:
        return trade_off.predictor.loss_db
    return next((fixed.loss_db for fixed in trade_off.fixed if fixed.fab == forced), None)


def _read_signal(signal: Signal, tile: NDArray[np.uint8], predict: Predict) -> float:
    match signal:
        case "entropy":
            return predict(tile).entropy
        case "gate_margin":
            logits = predict(tile).logits
            return float(logits[-1] - logits[0])
