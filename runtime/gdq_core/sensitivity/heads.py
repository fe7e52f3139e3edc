"""Three integer heads on a tile's statistics: noise, error, and what interpolation would add."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gdq_core.sensitivity.statistics import STATISTICS, Integers, largest_statistics

HEADS: Final = 3
SHIFT: Final = 14
"""Binary places of weights and biases."""

OCTAVE: Final = 32
"""Heads, scores and prices count in 1/32 octaves: 32 more is twice as much."""

_LARGEST_INT32 = 2**31 - 1


class Sensitivity(NamedTuple):
    """What a tile would cost, each ``32 log2`` of a mean squared error of the luma (0..255).

    Attributes:
        noise: that 4 bits add to the network's error.
        error: of the network at 8 bits.
        interpolation: that bicubic interpolation adds to that.

    """

    noise: int
    error: int
    interpolation: int


@dataclass(frozen=True, eq=False)
class SensitivityHeads:
    """Weights of the three heads: ``(statistics . weights + bias) >> 14``.

    Attributes:
        weights: (3, 9) int64: noise, error, interpolation.
        biases: (3,) int64.
        side: pixels of the tiles that they were fitted to.

    Raises:
        ValueError: on construction, if shapes are others, or a sum could leave 32 bits.

    """

    weights: Integers
    biases: Integers
    side: int

    def __post_init__(self) -> None:
        if self.weights.shape != (HEADS, STATISTICS) or self.biases.shape != (HEADS,):
            raise ValueError(f"sensitivity heads are {HEADS}x{STATISTICS} weights, {HEADS} biases")
        if not 16 <= self.side <= 1024 or self.side % 4:
            raise ValueError(f"a tile's side must be a multiple of 4 from 16 to 1024: {self.side}")
        # In float64: what is far too large must not wrap around to something small.
        sums = np.abs(self.weights.astype(np.float64)) @ largest_statistics(self.side)
        if (sums + np.abs(self.biases.astype(np.float64)) > _LARGEST_INT32).any():
            raise ValueError("weights of the sensitivity heads are so large that 32 bits overflow")

    def apply(self, statistics: Integers) -> Integers:
        """Return the heads (..., 3) of statistics (..., 9)."""
        return (statistics @ self.weights.T + self.biases) >> SHIFT

    def of_tile(self, statistics: NDArray[np.int64]) -> Sensitivity:
        """Return the heads of one tile's statistics (9,)."""
        noise, error, interpolation = self.apply(statistics).tolist()
        return Sensitivity(noise, error, interpolation)
