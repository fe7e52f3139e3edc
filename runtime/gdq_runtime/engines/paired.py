"""Two networks on two engines of one kind: each bundle on its own, tiles to one or the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gdq_core.bit_widths import SMALL
from gdq_core.sensitivity.heads import Sensitivity
from gdq_runtime.engines.base import Engine, Prediction


class PairedEngine:
    """Run the routes of a bundle of two networks."""

    def __init__(self, large: Engine, small: Engine) -> None:
        """Stand around two engines.

        Args:
            large: open on the bundle.
            small: of the same name, open on the bundle of its small network.

        """
        self._large, self._small = large, small

    @property
    def name(self) -> str:
        """See ``Engine.name``."""
        return self._large.name

    @property
    def accelerator_asked(self) -> str:
        """See ``Engine.accelerator_asked``."""
        return self._large.accelerator_asked

    @property
    def accelerator_used(self) -> str:
        """See ``Engine.accelerator_used``; both networks have the same operators."""
        return self._large.accelerator_used

    def predict(self, tile: NDArray[np.uint8]) -> Prediction:
        """See ``Engine.predict``; asks the large network's predictor."""
        return self._large.predict(tile)

    def sense(self, tile: NDArray[np.uint8]) -> Sensitivity:
        """See ``Engine.sense``; asks the large network's predictor."""
        return self._large.sense(tile)

    def run(self, bit_width: int, tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See ``Engine.run``; ``SMALL`` plus a bit-width runs the small network."""
        if bit_width > SMALL:
            return self._small.run(bit_width - SMALL, tile)
        return self._large.run(bit_width, tile)

    def close(self) -> None:
        """See ``Engine.close``."""
        self._large.close()
        self._small.close()
