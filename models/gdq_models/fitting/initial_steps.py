"""The step to start from: the one of least squared error on a batch of values.

With the released initial steps, ``2 * mean(|x|) / sqrt(Qp)`` and ``2 * max(|w|) / sqrt(127)``, a
weight uses only thirteen of its 256 integers; a short training is too short to learn the others.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

_CANDIDATES = 60
_SMALLEST_RATIO = 0.05
_SAMPLED_VALUES = 1 << 16


def least_squares_step(values: Tensor, low: int, high: int) -> float:
    """Return the step of least squared error among 60 candidates.

    The candidates cover from all of the range of the values down to a twentieth of it.

    Args:
        values: any shape, float.
        low: smallest integer.
        high: largest integer.
    """
    values = values.detach().float().flatten()
    # Every k-th value, not a random sample, so that the result is reproducible.
    values = values[:: max(1, len(values) // _SAMPLED_VALUES)]
    # An activation that is zero throughout still needs a step to divide by.
    peak = max(float(values.max()) / high, float(-values.min()) / max(-low, 1), 1e-6)
    ratios: list[float] = torch.logspace(math.log10(_SMALLEST_RATIO), 0, _CANDIDATES).tolist()
    candidates = [peak * ratio for ratio in ratios]
    return min(candidates, key=lambda step: _error(values, step, low, high))


def _error(values: Tensor, step: float, low: int, high: int) -> float:
    quantized = (values / step).clamp(low, high).round() * step
    return float((values - quantized).square().sum())
