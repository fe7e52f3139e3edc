"""The predictor as plain arrays, for an exporter that computes it without a convolution."""

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
    """Everything that decides a bit-width, in float64.

    The head convolution is zero-padded by ``k // 2`` and applied to ``image - mean``, where the
    image is RGB, 0..255; its weight already includes the factor between value ranges.

    Attributes:
        head_weight: (C, 3, k, k).
        head_bias: (C,), zeros if the network's head has none.
        mean: (3,) RGB, 0..255.
        gate: kind of gate.
        gate_weight: (3, 3C); its blocks of C columns belong to fine (Z1), median (Z2) and coarse
            (Z3), in this order (the released checkpoint has coarse, fine, median).
        gate_bias: (3,).
        groups: number of normalisation groups; None for ``linear``, as are the next two.
        norm_weight: (3, C), for fine, median and coarse.
        norm_bias: (3, C).
        norm_epsilon: added to the variance before its square root is taken.
        e2b_thresholds: (2,) entropies in nats.
        e2b_bit_widths: for an entropy up to the first threshold, up to the second, and above.
        gate_bit_widths: the bit-widths that the gate's logits stand for.
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
