"""The kinds of gate; apart from the gate, so that a recipe can be read without torch."""

from __future__ import annotations

from typing import Literal

GateKind = Literal["linear", "group_norm"]
"""``linear``: as released, no normalisation. ``group_norm``: as in the paper."""

PredictorKind = Literal["linear", "group_norm", "statistics"]
"""A gate over the head's features, or heads on statistics of the tile."""
