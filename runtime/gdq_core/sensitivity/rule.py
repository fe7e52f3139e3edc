"""How a tile's sensitivity becomes its route: everything of a network that decides it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gdq_core.bit_widths import INTERPOLATED
from gdq_core.sensitivity.heads import OCTAVE, Sensitivity, SensitivityHeads
from gdq_core.sensitivity.prices import DECIBELS, PriceSteps
from gdq_core.sensitivity.statistics import tile_statistics


@dataclass(frozen=True, eq=False)
class SensitivityRule:
    """Heads and prices of one network.

    Attributes:
        heads: tile -> noise, error, interpolation.
        steps: score above the price -> bit-width.
        price: where the dial stands unless it is turned, in 1/32 octaves of dB a bit.
        flat: largest interpolation head above the picture's error at which a tile is interpolated.

    """

    heads: SensitivityHeads
    steps: PriceSteps
    price: int
    flat: int

    def sense(self, tile: NDArray[np.uint8]) -> Sensitivity:
        """Return the heads of a (height, width, 3) tile."""
        return self.heads.of_tile(tile_statistics(tile, self.heads.side))

    def choose(self, tile: Sensitivity, picture_level: int, price: float) -> int:
        """Return the bit-width of a tile at a price.

        Args:
            tile: its heads.
            picture_level: of its picture's error, see ``PictureError.level``.
            price: in 1/32 octaves; ``self.price`` if the dial is not turned.

        """
        return self.steps.choose(tile.noise - picture_level, price)

    def loss(self, tile: Sensitivity, picture_level: int, route: int) -> float:
        """Return what a tile loses below the largest bit-width, in dB of its picture.

        Args:
            tile: its heads.
            picture_level: of its picture's error, see ``PictureError.level``.
            route: a bit-width, or ``INTERPOLATED``, which the heads tell well enough only of flat
                tiles.

        """
        if route == INTERPOLATED:
            return float(DECIBELS * 2 ** ((tile.interpolation - picture_level) / OCTAVE))
        return self.steps.loss(tile.noise - picture_level, route)

    def is_flat(self, tile: Sensitivity, picture_level: int) -> bool:
        """Tell whether interpolation serves a tile as well as the network."""
        return tile.interpolation - picture_level <= self.flat
