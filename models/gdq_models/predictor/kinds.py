"""Makes a predictor of any kind."""

from __future__ import annotations

from gdq_models.predictor.gate_kind import PredictorKind
from gdq_models.predictor.predictor import BitPredictor
from gdq_models.predictor.statistics import StatisticsPredictor

Predictor = BitPredictor | StatisticsPredictor


def build_predictor(channels: int, kind: PredictorKind) -> Predictor:
    """Returns a new predictor for a head of so many channels."""
    if kind == "statistics":
        return StatisticsPredictor()
    return BitPredictor(channels, kind)
