"""Two networks of one scale, a small one and a large one: what a tile loses on either.

The statistics of a tile are those of its pixels, whatever network runs it, so they are computed
once. Each network has heads of its own, fitted alone: what the small network loses at 8 bits is the
difference between the errors that the two sets of heads tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from gdq_core.bit_widths import SMALL
from gdq_core.sensitivity.heads import OCTAVE, Sensitivity
from gdq_core.sensitivity.prices import DECIBELS
from gdq_core.sensitivity.rule import SensitivityRule
from gdq_core.sensitivity.statistics import Integers


class PairSensitivity(NamedTuple):
    """What a tile would cost on both networks."""

    large: Sensitivity
    small: Sensitivity

    @property
    def error(self) -> int:
        """That of the large network, which losses are relative to."""
        return self.large.error


@dataclass(frozen=True, eq=False)
class PairRule:
    """Heads and losses of both networks.

    Attributes:
        large: of the large network, which also tells flat tiles.
        small: of the small one, for tiles of the same size.

    Raises:
        ValueError: on construction, if the heads were fitted to tiles of different sizes.

    """

    large: SensitivityRule
    small: SensitivityRule

    def __post_init__(self) -> None:
        sides = self.large.heads.side, self.small.heads.side
        if sides[0] != sides[1]:
            raise ValueError(f"the predictors were fitted to tiles of {sides[0]} and {sides[1]}")

    def sense(self, statistics: Integers) -> PairSensitivity:
        """Return the heads of a tile's statistics (9,)."""
        return PairSensitivity(
            self.large.heads.of_tile(statistics), self.small.heads.of_tile(statistics)
        )

    def is_flat(self, tile: PairSensitivity, picture_level: int) -> bool:
        """Tell whether interpolation serves a tile as well as the large network."""
        return self.large.is_flat(tile.large, picture_level)

    def loss(self, tile: PairSensitivity, picture_level: int, route: int) -> float:
        """Return what a tile loses below the large network's largest width, in dB of its picture.

        Args:
            tile: its heads.
            picture_level: of the large network's error, see ``PictureError.level``.
            route: a bit-width, ``SMALL`` plus one, or ``INTERPOLATED``, which the heads tell well
                enough only of flat tiles.

        """
        if route < SMALL:
            return self.large.loss(tile.large, picture_level, route)
        errors = [2.0 ** ((one.error - picture_level) / OCTAVE) for one in tile]
        gap: float = DECIBELS * max(errors[1] - errors[0], 0.0)
        return gap + self.small.loss(tile.small, picture_level, route - SMALL)
