"""Errors of calibration tiles at every width -> the operating points of the dial."""

from __future__ import annotations

from typing import Final, get_args

import numpy as np
from numpy.typing import NDArray

from gdq_core.bit_widths import BitWidth
from gdq_exporter.trade_off.curves import CURVE_POINTS, as_point, as_points
from gdq_exporter.trade_off.frontier import Curve, Frontier, trace_groups
from gdq_exporter.trade_off.tile_errors import TileErrors
from gdq_runtime.bundle.manifest import (
    FlatTiles,
    OperatingPoint,
    Signal,
    TradeOff,
    TradeOffCurves,
    TradeOffPoint,
)

LARGEST_FLAT_LOSS: Final = 0.01
"""dB that interpolating flat tiles may cost (nobody can see it)."""
_MOST_BINS = 8
"""A choice, not a finding: results with 4, 8 and 16 bins differed less than between photo sets."""
_TILES_PER_BIN = 6
_SIGNALS: tuple[Signal, ...] = get_args(Signal)
_CLEARLY = 0.9
"""Share of the gate's loss that another signal must stay below to be preferred."""
_FOLDS = 4
"""Parts of the pictures that are held out in turn."""


class _Fit:
    """A signal in quantile bins of some tiles, and what each bin should be given."""

    def __init__(self, seen: TileErrors, signal: Signal, tiles: NDArray[np.bool_]) -> None:
        values = getattr(seen, signal)[tiles]
        self.edges = _bin_edges(values)
        bin_of = np.searchsorted(self.edges, values)
        self.frontier = trace_groups(seen.bit_widths, seen.losses[tiles], bin_of)


def find_trade_off(seen: TileErrors) -> TradeOff:
    """Find operating points on the signal that orders tiles best, and curves to compare with.

    Losses are measured on pictures held out of the fit, if there is more than one picture. The
    curves at equal FAB: each signal; a random gate, which knows the mean error of each width but
    nothing about the tile; an oracle, which knows every tile's errors.
    """
    held_out = {signal: _held_out_curve(seen, signal) for signal in _SIGNALS}
    signal = _best_signal(seen.bit_widths, held_out)
    fit = _Fit(seen, signal, np.ones(len(seen.losses), dtype=np.bool_))
    count = len(seen.losses)
    random = trace_groups(seen.bit_widths, seen.losses, np.zeros(count, dtype=np.intp))
    oracle = trace_groups(seen.bit_widths, seen.losses, np.arange(count))
    return TradeOff(
        tiles=count,
        signal=signal,
        bin_edges=fit.edges.tolist(),
        points=_operating_points(seen, fit.frontier, held_out[signal]),
        predictor=_predictor_point(seen),
        fixed=[
            as_point(width, loss)
            for width, loss in zip(seen.bit_widths, seen.losses.mean(axis=0), strict=True)
        ],
        curves=TradeOffCurves(
            **{signal: as_points(curve) for signal, curve in held_out.items()},
            random=as_points(random),
            oracle=as_points(oracle),
        ),
    )


def find_flat_tiles(seen: TileErrors) -> FlatTiles | None:
    """Find the largest share of flattest tiles whose interpolation stays within the bound.

    None if interpolating even the flattest tile costs more than ``LARGEST_FLAT_LOSS``.
    """
    order = np.argsort(seen.gradient, kind="stable")
    losses = np.cumsum(seen.interpolated[order]) / len(order)
    # Up to where the bound is first exceeded: beyond that, a lucky tile could hide a bad one.
    share = int(np.argmax(np.append(losses, np.inf) > LARGEST_FLAT_LOSS))
    if share == 0:
        return None
    return FlatTiles(
        largest_gradient=float(seen.gradient[order[share - 1]]),
        share=share / len(order),
        loss_db=round(max(0.0, float(losses[share - 1])), 5),
    )


def _bin_edges(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the upper edges of all bins but the last; equally many tiles in each, none empty."""
    bins = int(np.clip(len(signal) // _TILES_PER_BIN, 1, _MOST_BINS))
    shares = np.arange(1, bins) / bins
    edges: NDArray[np.float64] = np.unique(np.quantile(signal, shares, method="lower"))
    inner: NDArray[np.float64] = edges[edges < signal.max()]
    return inner


def _held_out_curve(seen: TileErrors, signal: Signal) -> Curve:
    """Return what positions of the dial cost and lose on pictures it was not fitted to.

    One part of the pictures after the other is left out of the fit and judged by it.
    """
    asked = np.linspace(seen.bit_widths[0], seen.bit_widths[-1], CURVE_POINTS)
    widths, count = np.asarray(seen.bit_widths), len(seen.losses)
    bits, losses = np.zeros(CURVE_POINTS), np.zeros(CURVE_POINTS)
    for held_out, fitted in _folds(seen.picture_of):
        fit = _Fit(seen, signal, fitted)
        bin_of = np.searchsorted(fit.edges, getattr(seen, signal)[held_out])
        position = np.searchsorted(fit.frontier.bits, asked, side="right") - 1
        choice = fit.frontier.choices[position][:, bin_of]
        bits += widths[choice].sum(axis=1) / count
        losses += seen.losses[held_out][np.arange(len(bin_of)), choice].sum(axis=1) / count
    return Curve(bits, losses)


def _folds(
    picture_of: NDArray[np.intp],
) -> list[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Return tiles to judge and tiles to fit; of a single picture, both are all of them."""
    pictures, rank = np.unique(picture_of, return_inverse=True)
    if len(pictures) == 1:
        everything = np.ones(len(picture_of), dtype=np.bool_)
        return [(everything, everything)]
    parts = [rank % _FOLDS == fold for fold in range(min(_FOLDS, len(pictures)))]
    return [(part, ~part) for part in parts]


def _best_signal(bit_widths: tuple[int, ...], curves: dict[Signal, Curve]) -> Signal:
    """Choose the smallest mean loss over the dial, the gate's unless it is clearly beaten.

    A few tiles cannot tell apart signals that are nearly equally good.
    """
    bits = np.linspace(bit_widths[0], bit_widths[-1], 33)
    losses = {signal: float(curve.losses_at(bits).mean()) for signal, curve in curves.items()}
    best = min(losses, key=lambda signal: losses[signal])
    is_clear = losses[best] < _CLEARLY * losses["gate_margin"]
    return best if is_clear else "gate_margin"


def _operating_points(
    seen: TileErrors, frontier: Frontier, held_out: Curve
) -> list[OperatingPoint]:
    points: list[OperatingPoint] = []
    losses = held_out.losses_at(frontier.bits)
    for bits, loss, choice in zip(frontier.bits, losses, frontier.choices, strict=True):
        widths: list[BitWidth] = [seen.bit_widths[index] for index in choice]
        point = OperatingPoint(**as_point(bits, loss).model_dump(), bit_widths=widths)
        # A point that costs more without losing less is dropped; better than all at 8 bits is luck.
        if not points or point.loss_db < points[-1].loss_db:
            points.append(point)
    return points


def _predictor_point(seen: TileErrors) -> TradeOffPoint:
    columns = np.searchsorted(seen.bit_widths, seen.predicted)
    losses = seen.losses[np.arange(len(columns)), columns]
    return as_point(float(seen.predicted.mean()), float(losses.mean()))
