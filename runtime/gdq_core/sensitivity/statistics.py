"""Nine numbers of a tile, from which the heads tell what few bits cost it.

Noise of few bits shows on strong clean edges on smooth ground, and a network's own error lies in
texture. Both are read off the luma at three granularities: as it is, and summed over 2x2 and 4x4
pixels. All arithmetic is in integers, and for tiles of up to 128 pixels nothing reaches 2^24: a
graph in float32 computes the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

STATISTICS: Final = 9
"""How many there are."""

LUMA_WEIGHTS: Final = (77, 150, 29)
"""Of red, green and blue, in 1/256."""

BLOCK: Final = 4
"""Side of the blocks over which maxima are taken."""

STRONG_STEPS: Final = 3
"""Number of the statistic that counts blocks with a strong step."""

STRONG: Final = 128
"""Gray levels from which an edge is counted as strong."""

LARGEST_EXACT_SIDE: Final = 128
"""Pixels of a square tile's side up to which float32 holds every number on the way."""

_OCTAVES = 33
LOG_STEPS: Final = tuple(
    next(n for n in range(int(2 ** (k / 4)), 1 << 40) if n**4 >= 2**k)
    for k in range(1, 4 * _OCTAVES)
)
"""Where the logarithm rises: the smallest whole n with ``n**4 >= 2**k``, for k = 1, 2, ..."""


def logarithm(values: int | NDArray[Any]) -> Integers:
    """Return ``floor(4 log2(1 + v))`` of whole numbers from 0 to 2^24, by comparisons alone."""
    return np.searchsorted(LOG_STEPS, 1 + np.asarray(values), side="right").astype(np.int64)


_LARGEST_DIFFERENCE = 4 * BLOCK**2 * 255
_LOGARITHMS = logarithm(np.arange(_LARGEST_DIFFERENCE + 1))


def tile_statistics(tile: NDArray[np.uint8], side: int) -> Integers:
    """Return the nine statistics (9,) of a tile.

    ``D`` and ``G`` are, for each block of 4x4 pixels, the largest diagonal difference
    ``|y00 + y11 - y01 - y10|`` and the largest step ``max(|y01 - y00|, |y10 - y00|)`` of the 2x2
    windows that begin in it; ``d2`` and ``d4`` the diagonal differences of the luma summed over 2x2
    and 4x4 pixels, ``l4`` the size of the latter's Laplacian; Lg the ``logarithm``. In order:
    Lg sum(D^2 >> 4), sum Lg D, Lg #{D >= 128}, Lg #{G >= 128}, sum Lg d4, sum Lg l4, Lg sum d2,
    Lg sum((d2 >> 2)^2 >> 6), Lg sum y.

    Args:
        tile: (height, width, 3), RGB, at least 4 pixels each way; rows and columns beyond the last
            multiple of four take no part.
        side: pixels of the tiles that the heads were fitted to. The sums of a tile of another size
            are brought to as many terms as such a tile has.

    """
    height, width = (length // BLOCK * BLOCK for length in tile.shape[:2])
    luma = _luma(tile[:height, :width])
    largest_diagonal = _block_maxima(_diagonal(luma))
    largest_step = _block_maxima(_step(luma))
    by_two = _sum_pairs(luma)
    by_four = _sum_pairs(by_two)
    diagonal_by_two = _diagonal(by_two)

    def total(terms: NDArray[Any], of_side: Callable[[int], int]) -> int:
        """Sum, as if of a tile of ``side``; ``of_side`` says how many terms a side has."""
        count = of_side(height) * of_side(width)
        of_fitted = of_side(side) ** 2
        found = int(terms.sum(dtype=np.int64))
        return found if count in (0, of_fitted) else found * of_fitted // count

    numbers = (
        logarithm(total(largest_diagonal**2 >> 4, _blocks)),
        total(_LOGARITHMS[largest_diagonal], _blocks),
        logarithm(total(largest_diagonal >= STRONG, _blocks)),
        logarithm(total(largest_step >= STRONG, _blocks)),
        total(_LOGARITHMS[_diagonal(by_four)], lambda length: length // 4 - 1),
        total(_LOGARITHMS[_laplacian(by_four)], lambda length: max(0, length // 4 - 2)),
        logarithm(total(diagonal_by_two, lambda length: length // 2 - 1)),
        logarithm(total((diagonal_by_two >> 2) ** 2 >> 6, lambda length: length // 2 - 1)),
        logarithm(total(luma, lambda length: length)),
    )
    return np.array(numbers, np.int64)


def largest_statistics(side: int) -> Integers:
    """Return what no tile of a side can exceed (9,)."""
    blocks, by_four = _blocks(side) ** 2, (side // 4 - 1) ** 2
    top, of_diagonals = len(LOG_STEPS), int(_LOGARITHMS[-1])
    sums = (blocks * of_diagonals, by_four * of_diagonals, by_four * of_diagonals)
    return np.array([top, sums[0], top, top, *sums[1:], top, top, top], np.int64)


def _blocks(length: int) -> int:
    return length // BLOCK


def _luma(tile: NDArray[np.uint8]) -> NDArray[np.int32]:
    red, green, blue = LUMA_WEIGHTS
    pixels = tile.astype(np.int32)
    luma = red * pixels[..., 0] + green * pixels[..., 1] + blue * pixels[..., 2]
    return np.asarray((luma + 128) >> 8)


def _diagonal(y: NDArray[np.int32]) -> NDArray[np.int32]:
    """(rows - 1, columns - 1): zero on every plane, ramp, and straight edge along an axis."""
    across = y[:, 1:] - y[:, :-1]
    return np.abs(across[1:] - across[:-1])


def _step(y: NDArray[np.int32]) -> NDArray[np.int32]:
    """(rows - 1, columns - 1): the larger of the differences to the right and downwards."""
    across, down = np.abs(np.diff(y, axis=1))[:-1], np.abs(np.diff(y, axis=0))[:, :-1]
    return np.maximum(across, down)


def _laplacian(y: NDArray[np.int32]) -> NDArray[np.int32]:
    neighbours = y[:-2, 1:-1] + y[2:, 1:-1] + y[1:-1, :-2] + y[1:-1, 2:]
    return np.abs(4 * y[1:-1, 1:-1] - neighbours)


def _sum_pairs(y: NDArray[np.int32]) -> NDArray[np.int32]:
    """Sums over 2x2."""
    rows = y[::2] + y[1::2]
    return np.asarray(rows[:, ::2] + rows[:, 1::2])


def _block_maxima(values: NDArray[np.int32]) -> NDArray[np.int32]:
    """Maxima over 4x4 of one row and column less than whole blocks; windows begin inside."""
    padded = np.pad(values, ((0, 1), (0, 1)))
    rows, columns = (length // BLOCK for length in padded.shape)
    return np.asarray(padded.reshape(rows, BLOCK, columns, BLOCK).max(axis=(1, 3)))
