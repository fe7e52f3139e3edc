"""Colours under transparent pixels: nobody has seen them, and nobody shall.

Where alpha is 0, a file may hold any colour: black, the remains of a photo, noise. Whatever looks
at neighbours, as interpolation and every network do, would draw it into the visible edge. So the
colours of the visible neighbours take its place beforehand.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gdq_core.pictures.rows import Rows, RowSource, has_alpha

REACH = 15
"""Pixels that visible colours spread; what is further away than this is black.

So many low-resolution pixels off, nothing that a network sees changes a visible sample."""

_STEPS = (1, 2, 4, 8)


def spread_colours(source: RowSource) -> RowSource:
    """Return the same picture, the colours under transparent pixels being those around them."""
    return _SpreadColours(source) if has_alpha(source.channels) else source


class _SpreadColours:
    """Reads ``REACH`` rows ahead and keeps as many behind.

    A pixel depends on those within its reach alone, by the same sums in the same order: so it is
    the same however the rows are asked for.
    """

    def __init__(self, source: RowSource) -> None:
        self._source = source
        self.width, self.height, self.channels = source.width, source.height, source.channels
        self._window = np.empty((0, self.width, self.channels), dtype=np.uint8)
        self._start = 0  # of the window in the picture
        self._next = 0

    def read_rows(self, count: int) -> Rows:
        """See ``RowSource.read_rows``."""
        first, self._next = self._next, self._next + count
        start, stop = max(first - REACH, 0), min(self._next + REACH, self.height)
        known = self._start + len(self._window)
        kept = self._window[start - self._start :]
        self._window = np.concatenate([kept, self._source.read_rows(max(stop - known, 0))])
        self._start = start
        rows = self._window[first - start : self._next - start].copy()
        hidden = rows[..., -1] == 0
        if hidden.any():
            spread = _spread(self._window)[first - start : self._next - start]
            rows[..., :-1][hidden] = spread[hidden]
        return rows


def _spread(window: Rows) -> Rows:
    """Return the colours around each pixel, weighted by alpha.

    The weight of a neighbour falls by half with each row and each column of distance: so steep
    that the nearest ones decide.
    """
    weight = window[..., -1:].astype(np.float32)
    sums = np.concatenate([window[..., :-1] * weight, weight], axis=2)
    for axis in (1, 0):
        sums = _sum_before(sums, axis) + _sum_behind(sums, axis) - sums
    weights = sums[..., -1:]
    colours = sums[..., :-1] / np.where(weights > 0, weights, 1)
    return np.rint(colours).astype(np.uint8)


def _sum_before(values: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Return the sum over d = 0..15 of the values d places before, divided by 2^d.

    By (1 + z/2)(1 + z^2/4)(1 + z^4/16)(1 + z^8/256), z being the shift by one place.
    """
    values = np.moveaxis(values, axis, 0)
    for step in _STEPS:
        shifted = values.copy()
        shifted[step:] += values[:-step] * np.float32(2.0**-step)
        values = shifted
    return np.moveaxis(values, 0, axis)


def _sum_behind(values: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Do the same with the values behind."""
    return np.flip(_sum_before(np.flip(values, axis), axis), axis)
