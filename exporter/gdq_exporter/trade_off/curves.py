"""Curves and points as the manifest has them: rounded, and no more of them than a page draws."""

from __future__ import annotations

from typing import Final

import numpy as np

from gdq_exporter.trade_off.frontier import Curve
from gdq_runtime.bundle.manifest import TradeOffPoint

CURVE_POINTS: Final = 25
"""Of a curve that is only drawn."""


def as_points(curve: Curve) -> list[TradeOffPoint]:
    """Return at most ``CURVE_POINTS`` points of a curve, at equal distances."""
    last = len(curve.bits) - 1
    kept = np.unique(np.linspace(0, last, CURVE_POINTS).round().astype(int))
    points = zip(curve.bits[kept].tolist(), curve.losses[kept].tolist(), strict=True)
    return [as_point(*point) for point in points]


def as_point(fab: float, loss: float) -> TradeOffPoint:
    """Round a point; a gain over all tiles at the largest width was luck and counts as no loss."""
    return TradeOffPoint(fab=round(float(fab), 4), loss_db=round(max(0.0, float(loss)), 5))
