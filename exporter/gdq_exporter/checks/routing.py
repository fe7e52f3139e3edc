"""Whether the predictor earns its bits: what it loses where it was not fitted, beside chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from gdq_models.predictor.kinds import Predictor
from gdq_models.predictor.statistics import StatisticsPredictor
from gdq_runtime.bundle.manifest import TradeOff, TradeOffPoint

FAB: Final = 4.6
"""Mean bit-width at which predictors are judged, unless a calibration judged at another."""

LARGEST_SHARE: Final = 0.75
"""Of what chance loses: a predictor that loses more is not worth asking."""


@dataclass(frozen=True)
class RoutingCheck:
    """Losses in dB below all tiles at the largest bit-width, at one mean bit-width.

    Attributes:
        fab: the mean bit-width.
        predictor: loss of the predictor.
        random: loss of chance.
        source: who measured it, and on what.
    """

    fab: float
    predictor: float
    random: float
    source: str

    @property
    def is_earned(self) -> bool:
        """Whether the predictor loses clearly less than chance."""
        return self.predictor <= LARGEST_SHARE * self.random

    @property
    def warning(self) -> str | None:
        """What a user must know before routing by the predictor; None if it earns its bits."""
        if self.is_earned:
            return None
        return (
            f"the predictor does not earn its bits: at {self.fab:g} bits it loses "
            f"{self.predictor:.4f} dB, chance {self.random:.4f} ({self.source}); give all tiles "
            "one width (gdq-upscale --bits 8), or fit another predictor to photos like yours "
            "(gdq-calibrate --keep-steps --gate statistics)"
        )


def fitted_mean(predictor: Predictor) -> float | None:
    """Return the mean bit-width that the predictor's own price was fitted to; None if unknown."""
    if not isinstance(predictor, StatisticsPredictor) or (kept := predictor.losses()) is None:
        return None
    return kept.fab


def check_routing(predictor: Predictor, trade_off: TradeOff, calibration: str) -> RoutingCheck:
    """Judge by what the calibration kept in the checkpoint, or else by the dial's own tiles.

    Args:
        predictor: of the checkpoint.
        trade_off: as this export measured it, on photos that were held out of its fit.
        calibration: name of these photos.
    """
    if isinstance(predictor, StatisticsPredictor) and (kept := predictor.losses()) is not None:
        return RoutingCheck(*kept, source="gdq-calibrate, on held-out photos")
    curves = trade_off.curves
    curve = curves.sensitivity or getattr(curves, trade_off.signal or "gate_margin")
    return RoutingCheck(
        fab=FAB,
        predictor=_loss_at(curve, FAB),
        random=_loss_at(curves.random, FAB),
        source=f"this export, on {trade_off.tiles} tiles of {calibration}",
    )


def _loss_at(curve: list[TradeOffPoint], fab: float) -> float:
    fabs, losses = zip(*[(point.fab, point.loss_db) for point in curve], strict=True)
    return float(np.interp(fab, fabs, losses))
