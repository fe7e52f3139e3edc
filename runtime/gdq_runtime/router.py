"""Decides which subgraph runs a tile; the only place that does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.base import Prediction

Bits = Literal["auto", 4, 5, 6, 8]
"""What a user may ask for: the predictor's choice, or one bit-width for all tiles."""


@dataclass(frozen=True)
class Router:
    """Prediction and wish -> a bit-width that the bundle has.

    Attributes:
        available: bit-widths with a subgraph, ascending.
        forced: the one bit-width for all tiles, or None if the predictor decides.

    """

    available: tuple[int, ...]
    forced: int | None

    @classmethod
    def create(cls, bundle: Bundle, bits: Bits) -> Router:
        """Check the wish against the bundle.

        Raises:
            BundleError: there is no subgraph of the bit-width asked for.

        """
        forced = None if bits == "auto" else bundle.subgraph(bits).bit_width
        return cls(bundle.bit_widths, forced)

    def route(self, prediction: Prediction) -> int:
        """Choose the predicted bit-width; if the bundle has not got it, the next larger one.

        Rounding up costs time, rounding down would cost the quality that the gate asked for.
        """
        sufficient = [width for width in self.available if width >= prediction.bit_width]
        return min(sufficient, default=self.available[-1])
