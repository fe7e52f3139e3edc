"""The predictor of kind ``statistics``: what few bits cost a tile, from nine statistics of it.

It learns nothing by gradients and uses no feature of the network: heads and prices are fitted
to measured tiles (``fitting/sensitivity.py``), and it computes in integers only, the same in every
runtime (``gdq_core.sensitivity``).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from gdq_core.sensitivity.heads import HEADS, SensitivityHeads
from gdq_core.sensitivity.prices import PriceSteps
from gdq_core.sensitivity.rule import SensitivityRule
from gdq_core.sensitivity.statistics import STATISTICS, Integers, tile_statistics


class HeldOutLosses(NamedTuple):
    """What a calibration found on photos that its heads were not fitted to.

    Losses are in dB of PSNR below all tiles at 8 bits, at one mean bit-width.

    Attributes:
        fab: the mean bit-width.
        predictor: loss of the heads.
        random: loss of chance.
    """

    fab: float
    predictor: float
    random: float


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
        held_out: (3,) float64, see ``HeldOutLosses``; zeros if the heads were not judged.
    """

    weights: Tensor
    biases: Tensor
    side: Tensor
    steps: Tensor
    price: Tensor
    flat: Tensor
    held_out: Tensor

    def __init__(self) -> None:
        super().__init__()
        shapes = {
            "weights": (HEADS, STATISTICS), "biases": (HEADS,), "side": (), "steps": (3,),
            "price": (), "flat": (),
        }  # fmt: skip
        for name, shape in shapes.items():
            self.register_buffer(name, torch.zeros(shape, dtype=torch.int64))
        held_out = torch.zeros(len(HeldOutLosses._fields), dtype=torch.float64)
        self.register_buffer("held_out", held_out)

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

    def losses(self) -> HeldOutLosses | None:
        """Return what the heads lost on photos they were not fitted to; None if nobody judged."""
        found = HeldOutLosses(*self.held_out.tolist())
        return found if found.fab else None

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

    def install(self, rule: SensitivityRule, losses: HeldOutLosses | None = None) -> None:
        """Take over a rule's heads and prices, and what they lost where they were judged."""
        self.weights.copy_(torch.from_numpy(rule.heads.weights))
        self.biases.copy_(torch.from_numpy(rule.heads.biases))
        self.side.fill_(rule.heads.side)
        self.steps.copy_(torch.tensor(rule.steps.above))
        self.price.fill_(rule.price)
        self.flat.fill_(rule.flat)
        self.held_out.copy_(torch.tensor(losses or (0.0, 0.0, 0.0), dtype=torch.float64))


def statistics_of(images: Tensor, side: int) -> Integers:
    """Return the statistics (N, 9) of images (N, 3, H, W), whole numbers of 0..255."""
    pixels = images.to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    return np.stack([tile_statistics(tile, side) for tile in pixels])


def _integers(tensor: Tensor) -> Integers:
    return np.asarray(tensor.cpu().numpy(), np.int64)
