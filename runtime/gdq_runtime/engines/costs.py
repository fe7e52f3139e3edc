"""What a tile costs on this device, and which bit-widths are worth their loss there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gdq_core.bit_widths import INTERPOLATED, SMALL

AS_FAST: Final = 0.03
"""Share of its time that a narrower width has to save before it is worth what it loses."""


@dataclass(frozen=True)
class Costs:
    """Processor time of one tile of the bundle's size, on one device and engine.

    Attributes:
        seconds: what a bit map says of a tile -> its seconds: ``INTERPOLATED``, every bit-width
            that the bundle has, and those of its small network if it has one.
        predict: seconds that the predictor takes.

    """

    seconds: Mapping[int, float]
    predict: float

    @cached_property
    def useful(self) -> tuple[int, ...]:
        """Bit-widths that no wider one is as fast as, ascending; the largest always is."""
        return self._useful(width for width in self.seconds if INTERPOLATED < width < SMALL)

    @cached_property
    def routes(self) -> tuple[int, ...]:
        """The same of the small network, if there is one, and then of the large one."""
        small = [route for route in self.seconds if route > SMALL]
        return (*(self._useful(small) if small else ()), *self.useful)

    def _useful(self, routes: Iterable[int]) -> tuple[int, ...]:
        *narrower, largest = sorted(routes)
        kept = [largest]
        for width in reversed(narrower):
            if self.seconds[width] < (1 - AS_FAST) * self.seconds[kept[-1]]:
                kept.append(width)
        return tuple(reversed(kept))

    @cached_property
    def seconds_per_bit(self) -> float:
        """What a bit costs where it costs most, widths being exchanged; 0 if only one is useful."""
        widths = sorted(width for width in self.seconds if width != INTERPOLATED)
        taken = [self.seconds[self.exchange(width)] for width in widths]
        steps = zip(pairwise(taken), pairwise(widths), strict=True)
        return max(
            ((later - sooner) / (wider - narrower) for (sooner, later), (narrower, wider) in steps),
            default=0.0,
        )

    @property
    def in_bits(self) -> dict[int, float]:
        """Useful widths -> their time, in bits at ``seconds_per_bit``: none beyond its bits."""
        unit = self.seconds_per_bit or 1.0
        return {width: self.seconds[width] / unit for width in self.useful}

    @property
    def largest_seconds(self) -> float:
        """Seconds of a tile at the largest bit-width, which needs no predictor."""
        return self.seconds[self.useful[-1]]

    def exchange(self, bit_width: int) -> int:
        """Return the width to run instead: the same if it is useful, else the next that is.

        It loses no more and takes no longer. Widths beyond the largest become the largest.
        """
        return min((width for width in self.useful if width >= bit_width), default=self.useful[-1])

    def tile_seconds(self, bit_map: NDArray[np.uint8], *, is_predicted: bool) -> float:
        """Return the seconds of a tile, on average over a bit map; edge tiles count like others.

        Args:
            bit_map: of any shape, a bit-width per tile, ``INTERPOLATED`` where it was.
            is_predicted: whether the predictor was asked for tiles that the network runs.

        """
        routes, tiles = np.unique(bit_map, return_counts=True)
        total = sum(
            count * self.seconds[route] for route, count in zip(routes.tolist(), tiles, strict=True)
        )
        asked = int((bit_map != INTERPOLATED).sum()) if is_predicted else 0
        return float(total + asked * self.predict) / bit_map.size
