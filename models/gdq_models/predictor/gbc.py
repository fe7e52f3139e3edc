"""GBC, the granularity-bit controller: from the head's features to one of three bit-widths.

The features are taken at three granularities, Z1 (fine, unchanged), Z2 (median, averaged over
2x2) and Z3 (coarse, averaged over 4x4). Each is brought to the resolution of Z3 and averaged over
the tile, and one linear layer weighs the averages (paper, section 3.2).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gdq_models.predictor.gate_kind import GateKind

GATE_BIT_WIDTHS = (4, 6, 8)
"""What the three outputs of the gate stand for."""

GRANULARITIES = 3
"""Fine, median, coarse."""

SMALLEST_TILE = 4
"""Shortest side that still has a coarse granularity, in low-resolution pixels."""

NORM_EPSILON = 1e-6


def norm_groups(channels: int) -> int:
    """Return the number of normalisation groups: the first of 8, 10, 6, 4, ... dividing channels.

    The released code has 8 (commented out), which does not divide the 60 channels of SwinIR-light.
    """
    return next(groups for groups in (8, 10, 6, 4, 3, 2, 1) if channels % groups == 0)


class GranularityGate(nn.Module):
    """The gate of GBC.

    Attributes:
        kind: with or without normalisation.
        linear: linear layer from 3C to 3; its input is in the order fine, median, coarse.
        norms: one normalisation for each granularity, in the same order; empty for ``linear``.
    """

    def __init__(self, channels: int, kind: GateKind) -> None:
        super().__init__()
        self.kind: GateKind = kind
        self.linear = nn.Linear(GRANULARITIES * channels, len(GATE_BIT_WIDTHS))
        count = GRANULARITIES if kind == "group_norm" else 0
        groups = norm_groups(channels)
        self.norms = nn.ModuleList(
            nn.GroupNorm(groups, channels, eps=NORM_EPSILON) for _ in range(count)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Return logits (N, 3) over ``GATE_BIT_WIDTHS``; see ``squeeze``."""
        logits: Tensor = self.linear(self.squeeze(features))
        return logits

    def squeeze(self, features: Tensor) -> Tensor:
        """Return the linear layer's input (N, 3C): the mean of each granularity.

        Args:
            features: (N, C, H, W) output of the head convolution, before its activation. Rows and
                columns beyond the last multiple of four are ignored.

        Raises:
            ValueError: a side is shorter than four pixels.
        """
        if min(features.shape[-2:]) < SMALLEST_TILE:
            raise ValueError(
                f"a tile must be at least {SMALLEST_TILE} pixels high and wide,"
                f" got {tuple(features.shape[-2:])}"
            )
        median = F.avg_pool2d(features, 2)
        coarse = F.avg_pool2d(median, 2)
        # The paper normalises before pooling, which would already average texture away.
        fine, median, coarse = self._normalise([features, median, coarse])
        pooled = [F.avg_pool2d(fine, 4), F.avg_pool2d(median, 2), coarse]
        return torch.cat(pooled, dim=1).mean(dim=(2, 3))

    def choose(self, logits: Tensor) -> Tensor:
        """Return a one-hot choice (N, 3).

        In training, Gumbel noise is added and gradients pass straight through to the softmax
        (temperature 1, as released); otherwise the largest logit is chosen.
        """
        if self.training:
            return F.gumbel_softmax(logits, tau=1.0, hard=True)
        return F.one_hot(logits.argmax(dim=1), len(GATE_BIT_WIDTHS)).to(logits.dtype)

    def _normalise(self, granularities: list[Tensor]) -> list[Tensor]:
        if self.kind == "linear":
            return granularities
        return [norm(z) for norm, z in zip(self.norms, granularities, strict=True)]
