"""The gate kind ``statistics``: what few bits cost a tile, from nine numbers of its pixels.

It learns nothing by gradients and looks at no feature of the network: heads and prices are fitted
to measured tiles (``fitting/sensitivity.py``), and all it computes is integers, the same in every
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
    """Tile -> noise of 4 bits, error, and what interpolation adds; the picture decides with them.

    Attributes:
        weights: (3, 9) int64, of the heads.
        biases: (3,) int64.
        side: int64, pixels of the tiles that the heads were fitted to; 0 before that.
        steps: (3,) int64, see ``PriceSteps``.
        price: int64, where the dial stands.
        flat: int64, see ``SensitivityRule``.
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
        """Which predictor it is."""
        return "statistics"

    def rule(self) -> SensitivityRule:
        """Returns all that decides.

        Raises:
            ValueError: it was never fitted, or its numbers make no sense.
        """
        if int(self.side) == 0:
            raise ValueError("the sensitivity heads were never fitted")
        five, six, eight = (int(step) for step in self.steps)
        heads = SensitivityHeads(_integers(self.weights), _integers(self.biases), int(self.side))
        steps = PriceSteps((five, six, eight))
        return SensitivityRule(heads, steps, int(self.price), int(self.flat))

    def check(self) -> None:
        """Makes sure that it can decide.

        Raises:
            ValueError: it cannot, see ``rule``.
        """
        self.rule()

    def inputs(self, features: Tensor, image: Tensor) -> Tensor:
        """Returns what a fit weighs: the statistics (N, 9) of square images (N, 3, H, W)."""
        del features
        return torch.from_numpy(statistics_of(image, image.shape[-1]))

    def install(self, rule: SensitivityRule) -> None:
        """Takes over all that decides."""
        self.weights.copy_(torch.from_numpy(rule.heads.weights))
        self.biases.copy_(torch.from_numpy(rule.heads.biases))
        self.side.fill_(rule.heads.side)
        self.steps.copy_(torch.tensor(rule.steps.above))
        self.price.fill_(rule.price)
        self.flat.fill_(rule.flat)


def statistics_of(images: Tensor, side: int) -> Integers:
    """Returns the statistics (N, 9) of whole numbers (N, 3, H, W) of 0..255."""
    pixels = images.to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    return np.stack([tile_statistics(tile, side) for tile in pixels])


def _integers(tensor: Tensor) -> Integers:
    return np.asarray(tensor.cpu().numpy(), np.int64)
