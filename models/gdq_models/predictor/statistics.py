"""The predictor of kind ``statistics``: what few bits cost a tile, from nine statistics of it.

It learns nothing by gradients and uses no feature of the network: heads and prices are fitted
to measured tiles (``fitting/sensitivity.py``), and it computes in integers only, the same in every
runtime (``gdq_core.sensitivity``).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from gdq_core.sensitivity.heads import HEADS, SensitivityHeads
from gdq_core.sensitivity.prices import PriceSteps
from gdq_core.sensitivity.rule import SensitivityRule
from gdq_core.sensitivity.statistics import STATISTICS, Integers, tile_statistics


class StatisticsPredictor(nn.Module):
    """For each tile the noise of 4 bits, the error, and what interpolation adds to it.

    With these numbers of all tiles, the bit-widths are decided for the picture as a whole.

    Attributes:
        weights: (3, 9) int64, weights of the heads.
        biases: (3,) int64, biases of the heads.
        side: int64 scalar, side in pixels of the tiles that the heads were fitted to; 0 if none.
        steps: (3,) int64, see ``PriceSteps``.
        price: int64 scalar, where the dial stands.
        flat: int64 scalar, see ``SensitivityRule``.
    """

    weights: Tensor
    biases: Tensor
    side: Tensor
    steps: Tensor
    price: Tensor
    flat: Tensor

    def __init__(self) -> None:
        super().__init__()
        shapes = {
            "weights": (HEADS, STATISTICS), "biases": (HEADS,), "side": (), "steps": (3,),
            "price": (), "flat": (),
        }  # fmt: skip
        for name, shape in shapes.items():
            self.register_buffer(name, torch.zeros(shape, dtype=torch.int64))

    @property
    def kind(self) -> Literal["statistics"]:
        """The kind of predictor."""
        return "statistics"

    def rule(self) -> SensitivityRule:
        """Return heads and prices as one rule.

        Raises:
            ValueError: the heads were never fitted, or the numbers are invalid.
        """
        if int(self.side) == 0:
            raise ValueError("the sensitivity heads were never fitted")
        five, six, eight = (int(step) for step in self.steps)
        heads = SensitivityHeads(_integers(self.weights), _integers(self.biases), int(self.side))
        steps = PriceSteps((five, six, eight))
        return SensitivityRule(heads, steps, int(self.price), int(self.flat))

    def check(self) -> None:
        """Make sure that the predictor can decide.

        Raises:
            ValueError: it cannot, see ``rule``.
        """
        self.rule()

    def inputs(self, features: Tensor, image: Tensor) -> Tensor:
        """Return the inputs of a fit: the statistics (N, 9) of square images (N, 3, H, W)."""
        del features
        return torch.from_numpy(statistics_of(image, image.shape[-1]))

    def install(self, rule: SensitivityRule) -> None:
        """Take over a rule's heads and prices."""
        self.weights.copy_(torch.from_numpy(rule.heads.weights))
        self.biases.copy_(torch.from_numpy(rule.heads.biases))
        self.side.fill_(rule.heads.side)
        self.steps.copy_(torch.tensor(rule.steps.above))
        self.price.fill_(rule.price)
        self.flat.fill_(rule.flat)


def statistics_of(images: Tensor, side: int) -> Integers:
    """Return the statistics (N, 9) of images (N, 3, H, W), whole numbers of 0..255."""
    pixels = images.to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    return np.stack([tile_statistics(tile, side) for tile in pixels])


def _integers(tensor: Tensor) -> Integers:
    return np.asarray(tensor.cpu().numpy(), np.int64)
