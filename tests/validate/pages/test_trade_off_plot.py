from __future__ import annotations

import numpy as np
import pytest

from gdq_runtime.bundle.manifest import TradeOff, TradeOffPoint
from gdq_validate.pages.trade_off_plot import HEIGHT, WIDTH, Curve, plot_trade_off

LINE = [TradeOffPoint(fab=4, loss_db=0.4), TradeOffPoint(fab=8, loss_db=0)]


@pytest.fixture
def trade_off() -> TradeOff:
    names = ("gate_margin", "entropy", "random", "oracle")
    return TradeOff.model_validate(
        {
            "tiles": 2,
            "signal": "entropy",
            "bin_edges": [],
            "points": [{"fab": 8, "loss_db": 0, "bit_widths": [8]}],
            "predictor": {"fab": 6, "loss_db": 0.2},
            "fixed": LINE,
            "curves": dict.fromkeys(names, LINE),
        }
    )


def corners(curve: Curve) -> np.ndarray:
    return np.array([pair.split(",") for pair in curve.points.split()], dtype=float)


def test_curves_fall_from_top_left_to_bottom_right(trade_off: TradeOff) -> None:
    plot = plot_trade_off(trade_off)
    assert len(plot.curves) == 4
    for curve in plot.curves:
        (left, high), (right, low) = corners(curve)
        assert 0 < left < right < WIDTH
        assert 0 < high < low < HEIGHT
    predictor = plot.marks[0]
    # Half-way on both axes.
    np.testing.assert_allclose((predictor.x, predictor.y), corners(plot.curves[0]).mean(axis=0))


def test_what_was_measured_is_marked_and_never_outside(trade_off: TradeOff) -> None:
    assert len(plot_trade_off(trade_off).marks) == 1
    for measured in ((2.0, -0.1), (8.0, 3.0)):
        mark = plot_trade_off(trade_off, measured).marks[-1]
        assert mark.style == "measured"
        assert 0 < mark.x < WIDTH
        assert 0 < mark.y < HEIGHT
