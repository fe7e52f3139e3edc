"""Holds one picture to a mean bit-width, whatever its tiles would like."""

from __future__ import annotations

from collections.abc import Sequence

from gdq_runtime.bundle.manifest import OperatingPoint


class Budget:
    """Turns the dial back, band by band, as far as the picture's bits demand.

    The dial's positions were calibrated on other photos: on a picture of many demanding tiles, one
    would spend more bits than it did there. Within a band the tiles that gain most keep theirs.
    """

    def __init__(self, points: Sequence[OperatingPoint], best: OperatingPoint, fab: float) -> None:
        """Begin a picture.

        Args:
            points: positions of the dial, ascending FAB.
            best: the position to use while there are bits for it.
            fab: largest mean bits of all tiles so far; no less than 4 bits for all can be kept.

        """
        self._points = points[: points.index(best) + 1]
        self._fab = fab
        self._tiles = 0
        self._spent = 0

    def spend(self, bins: Sequence[int]) -> list[int]:
        """Return bit-widths for the tiles of a band, given the dial's bin of each."""
        self._tiles += len(bins)
        for point in reversed(self._points):
            widths = [point.bit_widths[number] for number in bins]
            if self._spent + sum(widths) <= self._fab * self._tiles:
                break
        self._spent += sum(widths)
        return list(widths)
