"""The predictor as plain arrays, for an exporter that builds it without the head convolution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gdq_models.predictor.e2b import E2B_BIT_WIDTHS
from gdq_models.predictor.gate_kind import GateKind
from gdq_models.predictor.gbc import GATE_BIT_WIDTHS

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PredictorParameters:
    """Everything that decides a bit-width, float64.

    The head convolution is zero-padded by ``k // 2`` and applied to ``image - mean``, the image
    being RGB of 0..255; a factor between value ranges is already part of its weight.

    Attributes:
        head_weight: (C, 3, k, k).
        head_bias: (C,), zeros if the network's head has none.
        mean: (3,) RGB on 0..255.
        gate: kind of gate.
        gate_weight: (3, 3C); its blocks of C columns belong to fine (Z1), median (Z2) and coarse
            (Z3), in this order (the released checkpoint has coarse, fine, median).
        gate_bias: (3,).
        groups: normalisation groups; None for ``linear``, and likewise the next two.
        norm_weight: (3, C), fine, median, coarse.
        norm_bias: (3, C).
        norm_epsilon: added to the variance before the root.
        e2b_thresholds: (2,) entropy in nats.
        e2b_bit_widths: for entropy at most the first threshold, at most the second, above.
        gate_bit_widths: what the gate's logits stand for.
    """

    head_weight: Array
    head_bias: Array
    mean: Array
    gate: GateKind
    gate_weight: Array
    gate_bias: Array
    groups: int | None
    norm_weight: Array | None
    norm_bias: Array | None
    norm_epsilon: float
    e2b_thresholds: Array
    e2b_bit_widths: tuple[int, int, int] = E2B_BIT_WIDTHS
    gate_bit_widths: tuple[int, int, int] = GATE_BIT_WIDTHS
