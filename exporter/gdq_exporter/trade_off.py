"""What bits buy: error of calibration tiles at every width -> the operating points of the dial."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from gdq_exporter.frontier import Frontier, trace_frontier
from gdq_exporter.tile_errors import TileErrors
from gdq_runtime.bundle.manifest import (
    BitWidth,
    FlatTiles,
    OperatingPoint,
    TradeOff,
    TradeOffCurves,
    TradeOffPoint,
)

LARGEST_FLAT_LOSS: Final = 0.01
"""dB that interpolating flat tiles may cost (nobody can see it)."""
_MOST_BINS = 8
"""A choice, not a finding: across sets of photos, 4, 8 and 16 bins differed less than the
photos did (docs/accuracy.md)."""
_TILES_PER_BIN = 6
_MOST_CURVE_POINTS = 25
"""Of a curve that is only drawn."""

Signal = Literal["gate_margin", "entropy"]


def find_trade_off(seen: TileErrors) -> TradeOff:
    """Finds operating points on the signal that orders tiles better, and curves to compare with.

    The curves at equal FAB: either signal in quantile bins; a random gate, which knows the mean
    error of each width and nothing of the tile; an oracle, which knows every tile's errors.
    """
    values: dict[Signal, NDArray[np.float64]] = {
        "gate_margin": seen.gate_margin,
        "entropy": seen.entropy,
    }
    edges = {signal: _bin_edges(value) for signal, value in values.items()}
    frontiers = {
        signal: _binned_frontier(seen, np.searchsorted(edges[signal], value))
        for signal, value in values.items()
    }
    signal = _better_signal(seen, frontiers)
    count = len(seen.errors)
    random = _binned_frontier(seen, np.zeros(count, dtype=np.intp))
    oracle = _binned_frontier(seen, np.arange(count))
    return TradeOff(
        tiles=count,
        signal=signal,
        bin_edges=edges[signal].tolist(),
        points=_operating_points(seen, frontiers[signal]),
        predictor=_predictor_point(seen),
        fixed=[
            _point(width, error)
            for width, error in zip(seen.bit_widths, seen.relative_errors(), strict=True)
        ],
        curves=TradeOffCurves(
            gate_margin=_curve(seen, frontiers["gate_margin"]),
            entropy=_curve(seen, frontiers["entropy"]),
            random=_curve(seen, random),
            oracle=_curve(seen, oracle),
        ),
    )


def find_flat_tiles(seen: TileErrors) -> FlatTiles | None:
    """Finds the largest share of flattest tiles whose interpolation stays within the bound.

    None if not even the flattest tile can be interpolated for ``LARGEST_FLAT_LOSS``.
    """
    order = np.argsort(seen.gradient, kind="stable")
    extra = np.cumsum(seen.interpolated[order] - seen.errors[order, -1])
    losses = _decibels(1 + extra / seen.errors[:, -1].sum())
    # Up to where the bound is first exceeded: behind it, a lucky tile could hide a bad one.
    share = int(np.argmax(np.append(losses, np.inf) > LARGEST_FLAT_LOSS))
    if share == 0:
        return None
    return FlatTiles(
        largest_gradient=float(seen.gradient[order[share - 1]]),
        share=share / len(order),
        loss_db=round(max(0.0, float(losses[share - 1])), 5),
    )


def _bin_edges(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Upper edges of all bins but the last; equally many tiles in each, none empty."""
    bins = int(np.clip(len(signal) // _TILES_PER_BIN, 1, _MOST_BINS))
    shares = np.arange(1, bins) / bins
    edges: NDArray[np.float64] = np.unique(np.quantile(signal, shares, method="lower"))
    inner: NDArray[np.float64] = edges[edges < signal.max()]
    return inner


def _binned_frontier(seen: TileErrors, bin_of: NDArray[np.intp]) -> Frontier:
    bins = int(bin_of.max()) + 1
    errors = np.zeros((bins, len(seen.bit_widths)))
    np.add.at(errors, bin_of, seen.errors)
    return trace_frontier(seen.bit_widths, errors, np.bincount(bin_of, minlength=bins))


def _better_signal(seen: TileErrors, frontiers: dict[Signal, Frontier]) -> Signal:
    """The smaller error at equal bits, on average over the dial."""
    bits = np.linspace(seen.bit_widths[0], seen.bit_widths[-1], 33)
    return min(frontiers, key=lambda signal: float(frontiers[signal].errors_at(bits).mean()))


def _operating_points(seen: TileErrors, frontier: Frontier) -> list[OperatingPoint]:
    points: list[OperatingPoint] = []
    relative = frontier.errors / seen.reference
    for bits, error, choice in zip(frontier.bits, relative, frontier.choices, strict=True):
        widths: list[BitWidth] = [seen.bit_widths[index] for index in choice]
        point = OperatingPoint(**_point(bits, error).model_dump(), bit_widths=widths)
        # Gains below the last digit kept, and better than all tiles at 8 bits, are luck.
        if not points or point.loss_db < points[-1].loss_db:
            points.append(point)
    return points


def _predictor_point(seen: TileErrors) -> TradeOffPoint:
    columns = np.searchsorted(seen.bit_widths, seen.predicted)
    error = seen.errors[np.arange(len(columns)), columns].mean() / seen.reference
    return _point(float(seen.predicted.mean()), float(error))


def _curve(seen: TileErrors, frontier: Frontier) -> list[TradeOffPoint]:
    kept = np.unique(np.linspace(0, len(frontier.bits) - 1, _MOST_CURVE_POINTS).round().astype(int))
    bits, relative = frontier.bits[kept], frontier.errors[kept] / seen.reference
    return [_point(*point) for point in zip(bits.tolist(), relative.tolist(), strict=True)]


def _point(fab: float, relative_error: float) -> TradeOffPoint:
    loss = float(_decibels(np.array(relative_error)))
    return TradeOffPoint(fab=round(float(fab), 4), loss_db=round(max(0.0, loss), 5))


def _decibels(relative_error: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(10 * np.log10(relative_error), np.float64)
