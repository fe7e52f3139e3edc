"""The predictor: gate and entropy rule together decide a tile's bit-width."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gdq_core.bit_widths import BIT_WIDTHS
from gdq_models.predictor.e2b import EntropyToBit
from gdq_models.predictor.entropy import tile_entropy
from gdq_models.predictor.gate_kind import GateKind
from gdq_models.predictor.gbc import GATE_BIT_WIDTHS, GranularityGate


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the predictor says of each tile.

    Attributes:
        logits: (N, 3) the gate's logits for 4, 6 and 8 bits.
        entropy: (N,) in nats.
        bit_width: (N,) int64, the decision.
    """

    logits: Tensor
    entropy: Tensor
    bit_width: Tensor


def route_for(bit_width: Tensor) -> Tensor:
    """Return the one-hot route (N, 4) over ``BIT_WIDTHS`` for bit-widths (N,)."""
    widths = torch.tensor(BIT_WIDTHS, device=bit_width.device)
    return (bit_width[:, None] == widths).float()


class BitPredictor(nn.Module):
    """The choice of 4, 5, 6 or 8 bits for a tile.

    Attributes:
        gate: GBC, which chooses among 4, 6 and 8.
        e2b: chooses among 4, 5 and 8 where the gate chose 8.
    """

    def __init__(self, channels: int, gate: GateKind) -> None:
        super().__init__()
        self.gate = GranularityGate(channels, gate)
        self.e2b = EntropyToBit()

    @property
    def kind(self) -> GateKind:
        """The kind of predictor: that of its gate."""
        return self.gate.kind

    def check(self) -> None:
        """Make sure that the predictor can decide.

        Raises:
            ValueError: the entropy rule has no table, or its quantiles are invalid.
        """
        self.e2b.thresholds()

    def forward(self, features: Tensor, image: Tensor) -> Prediction:
        """Predict bit-widths, without noise and without a gradient through the decision.

        Args:
            features: (N, C, H, W) output of the head convolution, before its activation.
            image: (N, 3, H, W) RGB, 0..255.
        """
        logits = self.gate(features)
        entropy = tile_entropy(image)
        gate_width = torch.tensor(GATE_BIT_WIDTHS, device=logits.device)[logits.argmax(dim=1)]
        bit_width = torch.where(gate_width == GATE_BIT_WIDTHS[-1], self.e2b(entropy), gate_width)
        return Prediction(logits, entropy, bit_width)

    def inputs(self, features: Tensor, image: Tensor) -> Tensor:
        """Return the inputs (N, 3C) of a fit, see ``GranularityGate.squeeze``."""
        del image
        return self.gate.squeeze(features)

    def route(self, features: Tensor, image: Tensor) -> Tensor:
        """Return routes (N, 4) over ``BIT_WIDTHS`` through which the gate can be trained.

        In training, the gate's choice is noisy and carries a straight-through gradient. Its share
        of 8 bits goes to the width that the entropy rule names, so that the gate sees the error
        that its choice really causes. In evaluation it is the one-hot route of ``forward``.
        """
        choice = self.gate.choose(self.gate(features))
        by_entropy = route_for(self.e2b(tile_entropy(image)))
        gate_columns = torch.tensor([BIT_WIDTHS.index(width) for width in GATE_BIT_WIDTHS[:-1]])
        fixed = F.one_hot(gate_columns.to(choice.device), len(BIT_WIDTHS)).to(choice.dtype)
        return choice[:, :-1] @ fixed + choice[:, -1:] * by_entropy
