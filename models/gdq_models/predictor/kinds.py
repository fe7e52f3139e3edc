"""Create a predictor of any kind."""

from __future__ import annotations

from gdq_models.predictor.gate_kind import PredictorKind
from gdq_models.predictor.predictor import BitPredictor
from gdq_models.predictor.statistics import StatisticsPredictor

Predictor = BitPredictor | StatisticsPredictor


def build_predictor(channels: int, kind: PredictorKind) -> Predictor:
    """Create a predictor for a head convolution with this number of channels."""
    if kind == "statistics":
        return StatisticsPredictor()
    return BitPredictor(channels, kind)
