"""Read a picture band by band: the rows that one row of tiles needs, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gdq_core.pictures.rows import Rows, RowSource, has_alpha, split_alpha
from gdq_runtime.tiles.tiling import Span, TilePlan

ALPHA_CONTEXT = 2
"""Rows above and below its own on which a pixel of cubic interpolation can depend."""

_ROWS_AT_ONCE = 16


@dataclass(frozen=True, eq=False)
class Band:
    """The part of a picture under one row of tiles.

    Attributes:
        row: vertical position of the tiles.
        colour: (rows, width, 3), RGB: ``row.start`` to ``row.stop``, as far as the picture reaches.
        alpha: (rows, width): the band's own rows with ``ALPHA_CONTEXT`` rows above and below, as
            far as the picture reaches; None if the picture has no alpha.

    """

    row: Span
    colour: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None


def read_bands(source: RowSource, plan: TilePlan) -> Iterator[Band]:
    """Yield the bands of a picture from top to bottom, reading each row of the source once."""
    context = ALPHA_CONTEXT if has_alpha(source.channels) else 0
    start = stop = 0
    window = np.empty((0, source.width, source.channels), dtype=np.uint8)
    for row in plan.rows:
        above = max(row.own_start - context, 0)
        below = min(row.own_stop + context, source.height)
        keep, need = min(row.start, above), max(min(row.stop, source.height), below)
        window = _advance(source, window[keep - start :], need - stop)
        start, stop = keep, need
        colour, alpha = split_alpha(window)
        yield Band(
            row,
            colour[row.start - start : row.stop - start],
            None if alpha is None else alpha[above - start : below - start],
        )


def _advance(source: RowSource, kept: Rows, count: int) -> Rows:
    """Append the next rows, a few at a time, since whole bands of wide pictures are large."""
    window = np.empty((len(kept) + count, source.width, source.channels), dtype=np.uint8)
    window[: len(kept)] = kept
    for first in range(len(kept), len(window), _ROWS_AT_ONCE):
        rows = window[first : first + _ROWS_AT_ONCE]
        rows[:] = source.read_rows(len(rows))
    return window
