"""Layout of the trade-off's curves; the template only draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gdq_runtime.bundle.manifest import TradeOff, TradeOffPoint

WIDTH, HEIGHT = 640, 360
"""Size of the drawing in its own units."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 72, 16, 16, 44
_STEPS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Distances between grid lines in dB; the first one that gives at most six steps is used."""


@dataclass(frozen=True)
class Curve:
    """A line on the plot."""

    name: str
    style: str
    """Class in the page's style sheet."""
    points: str
    """``x,y x,y ...`` as SVG has it."""


@dataclass(frozen=True)
class Mark:
    """A dot or a grid line on the plot."""

    name: str
    style: str
    x: float
    y: float


@dataclass(frozen=True)
class TradeOffPlot:
    """Everything on the plot, in its units."""

    curves: list[Curve]
    marks: list[Mark]
    columns: list[Mark]
    rows: list[Mark]
    width: int = WIDTH
    height: int = HEIGHT


def plot_trade_off(
    trade_off: TradeOff, measured: tuple[float, float] | None = None
) -> TradeOffPlot:
    """Lay out FAB (4..8) against loss.

    Args:
        trade_off: of the bundle, from its calibration tiles.
        measured: what a validation measured: FAB without interpolated tiles, and dB below all
            tiles at the largest width.
    """
    curves = trade_off.curves
    drawn = [
        ("random gate", "random", curves.random),
        ("entropy", "entropy", curves.entropy),
        ("gate", "gate", curves.gate_margin),
        ("statistics", "gate", curves.sensitivity),
        ("oracle", "oracle", curves.oracle),
    ]
    drawn = [curve for curve in drawn if curve[-1]]
    known = [*(points for _, _, points in drawn), trade_off.fixed]
    losses = [point.loss_db for points in known for point in points]
    top = max([0.02, *losses, *([] if measured is None else [measured[1]])])
    marks = [
        _mark(
            "gate and entropy rule as trained" if trade_off.points else "the predictor as fitted",
            "predictor",
            trade_off.predictor,
            top,
        )
    ]
    if measured is not None:
        fab, loss = max(measured[0], 4), max(measured[1], 0)
        marks.append(Mark("measured here", "measured", _x(fab), _y(loss, top)))
    return TradeOffPlot(
        curves=[Curve(name, style, _line(points, top)) for name, style, points in drawn],
        marks=marks,
        columns=[Mark(str(bits), "grid", _x(bits), HEIGHT - _BOTTOM) for bits in range(4, 9)],
        rows=[Mark(f"{loss:g}", "grid", _LEFT, _y(loss, top)) for loss in loss_grid(top)],
    )


def loss_grid(top: float) -> list[float]:
    """Return the losses in dB at which grid lines are drawn, from 0 to at most ``top``."""
    step = next((step for step in _STEPS if top / step <= 6), top)
    return [round(index * step, 4) for index in range(int(top / step) + 1)]


def _line(points: Sequence[TradeOffPoint], top: float) -> str:
    return " ".join(f"{_x(point.fab):.1f},{_y(point.loss_db, top):.1f}" for point in points)


def _mark(name: str, style: str, point: TradeOffPoint, top: float) -> Mark:
    return Mark(name, style, _x(point.fab), _y(point.loss_db, top))


def _x(fab: float) -> float:
    return _LEFT + (fab - 4) / 4 * (WIDTH - _LEFT - _RIGHT)


def _y(loss: float, top: float) -> float:
    return HEIGHT - _BOTTOM - loss / top * (HEIGHT - _TOP - _BOTTOM)
