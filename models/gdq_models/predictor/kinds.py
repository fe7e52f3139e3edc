"""Which predictors there are, and how one is made."""

from __future__ import annotations

from typing import Literal

from gdq_models.predictor.predictor import BitPredictor
from gdq_models.predictor.statistics import StatisticsPredictor

PredictorKind = Literal["linear", "group_norm", "statistics"]
"""A gate over the head's features (``gate_kind.GateKind``), or heads on statistics of the tile."""

Predictor = BitPredictor | StatisticsPredictor


def build_predictor(channels: int, kind: PredictorKind) -> Predictor:
    """Returns a new predictor for a head of so many channels."""
    if kind == "statistics":
        return StatisticsPredictor()
    return BitPredictor(channels, kind)
