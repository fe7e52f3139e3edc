"""The error of a whole picture, from what the heads say of its tiles.

A PSNR is taken per picture: the same noise costs a picture of small errors more. So a tile's noise
counts relative to the mean error of its picture, which must be known, or guessed from the tiles
read so far.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from gdq_core.sensitivity.heads import OCTAVE

POWERS: Final = tuple(round(2 ** (15 + step / OCTAVE)) for step in range(OCTAVE))
"""``2 ** (step / 32)`` in 1/2^15."""

_SMALLEST, _LARGEST = -8 * OCTAVE, 20 * OCTAVE
"""Of a tile's error: squared gray levels from 2^-8 to 2^20, more than any 8-bit picture has."""
_POINT = 8
"""Binary places below one: enough for the smallest."""


class PictureError:
    """Mean of ``2 ** (error / 32)`` over tiles, in integers, so that all computers agree."""

    def __init__(self) -> None:
        self._sum = 0
        self._tiles = 0

    def add(self, errors: Iterable[int]) -> None:
        """Take in the error head of some tiles."""
        for error in errors:
            within = min(max(error, _SMALLEST), _LARGEST)
            octave, step = divmod(within, OCTAVE)
            self._sum += POWERS[step] << (octave + _POINT)
            self._tiles += 1

    @property
    def level(self) -> int:
        """``32 log2`` of the mean, rounded down; needs a tile."""
        mean = self._sum // self._tiles
        octave = mean.bit_length() - POWERS[0].bit_length()
        fraction = mean >> octave
        return OCTAVE * (octave - _POINT) + sum(power <= fraction for power in POWERS) - 1


def picture_level(errors: Iterable[int]) -> int:
    """Return the level of a picture of which the error heads of all tiles are known."""
    picture = PictureError()
    picture.add(errors)
    return picture.level
