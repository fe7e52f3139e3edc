"""How a picture is cut into tiles: pure arithmetic.

Neighbouring tiles overlap and meet at a hard cut in the middle of their overlap, so that exactly
one tile owns each pixel of the picture. All numbers are low-resolution pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Policy = Literal["uniform", "paper"]
"""``uniform``: all tiles have one size; the last of a row or column is moved back to the edge.
``paper``: the published protocol; tiles start at multiples of the stride, and the last one reaches
to the edge and is up to ``2 * tile - overlap - 1`` long."""

POLICIES: tuple[Policy, ...] = get_args(Policy)

SMALLEST_SIDE = 16
"""Smallest side of a tile that a bundle may have, and so the smallest that its graphs must take."""


@dataclass(frozen=True)
class Span:
    """A tile along one axis.

    Attributes:
        start: first pixel of the tile.
        stop: end of the tile, exclusive; beyond the picture's end if the picture is padded.
        own_start: first pixel that the tile contributes to the result.
        own_stop: end of these pixels, exclusive; never beyond the picture's end.

    """

    start: int
    stop: int
    own_start: int
    own_stop: int


@dataclass(frozen=True)
class TilePlan:
    """The tiles of one picture.

    Pictures smaller than a tile are padded by reflection at the right and the bottom: up to the
    tile size with ``uniform``, up to 16 pixels with ``paper`` (which takes tiles of any size, but
    graphs need not take smaller ones).
    """

    width: int
    height: int
    tile: int
    overlap: int
    policy: Policy = "uniform"

    def __post_init__(self) -> None:
        if min(self.width, self.height) < 1 or self.tile < SMALLEST_SIDE:
            raise ValueError(f"no plan for {self.width}x{self.height} with tiles of {self.tile}")
        if not 0 <= self.overlap <= self.tile // 2 or self.policy not in POLICIES:
            raise ValueError(f"no plan with overlap {self.overlap} and policy {self.policy!r}")

    @cached_property
    def columns(self) -> tuple[Span, ...]:
        """The tiles of one row, from left to right."""
        return _cut_axis(self.width, self.tile, self.overlap, self.policy)

    @cached_property
    def rows(self) -> tuple[Span, ...]:
        """The tiles of one column, from top to bottom."""
        return _cut_axis(self.height, self.tile, self.overlap, self.policy)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of columns of tiles: the shape of a bit map."""
        return len(self.rows), len(self.columns)

    @property
    def count(self) -> int:
        """Number of tiles."""
        return len(self.rows) * len(self.columns)


def cut_tile(band: NDArray[np.uint8], row: Span, column: Span) -> NDArray[np.uint8]:
    """Cut one tile from a band, padding by reflection where the picture ends before the tile.

    Args:
        band: (rows, width, 3): the rows ``row.start`` to ``row.stop``, as far as the picture
            reaches, at full width.
        row: vertical position of the tile.
        column: horizontal position of the tile.

    Returns:
        A contiguous array (row.stop - row.start, column.stop - column.start, 3).

    """
    tile = band[:, column.start : column.stop]
    below = row.stop - row.start - tile.shape[0]
    right = column.stop - column.start - tile.shape[1]
    if below or right:
        # A single pixel has nothing to reflect; NumPy repeats it.
        tile = np.pad(tile, ((0, below), (0, right), (0, 0)), mode="reflect")
    return np.ascontiguousarray(tile)


def _cut_axis(length: int, tile: int, overlap: int, policy: Policy) -> tuple[Span, ...]:
    stride = tile - overlap
    if policy == "paper":
        starts = list(range(0, max(length - tile, 0) + 1, stride))
        stops = [start + tile for start in starts[:-1]] + [max(length, SMALLEST_SIDE)]
    else:
        last = max(length - tile, 0)
        starts = [*range(0, last, stride), last]
        stops = [start + tile for start in starts]
    # The published hard cut: with tiles of 96 every 90 pixels, 3 pixels from each tile's border.
    inner = [(stop + start) // 2 for stop, start in zip(stops, starts[1:], strict=False)]
    cuts = [0, *inner, length]
    return tuple(map(Span, starts, stops, cuts, cuts[1:]))
