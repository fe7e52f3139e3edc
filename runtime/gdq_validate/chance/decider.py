"""An engine that only decides, so that many positions of a dial can be tried."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gdq_core.sensitivity.heads import Sensitivity
from gdq_runtime.engines.base import Engine, Prediction

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Decider:
    """Asks another engine's predictor; its pictures are black, and cost nothing.

    Attributes:
        engine: whose predictor is asked.
        scale: upscaling factor.

    """

    engine: Engine
    scale: int

    @property
    def name(self) -> str:
        """Name of the other engine."""
        return self.engine.name

    @property
    def accelerator_asked(self) -> str:
        """As of the other engine."""
        return self.engine.accelerator_asked

    @property
    def accelerator_used(self) -> str:
        """As of the other engine."""
        return self.engine.accelerator_used

    def predict(self, tile: Picture) -> Prediction:
        """Ask the other engine."""
        return self.engine.predict(tile)

    def sense(self, tile: Picture) -> Sensitivity:
        """Ask the other engine."""
        return self.engine.sense(tile)

    def run(self, bit_width: int, tile: Picture) -> Picture:
        """Return a black picture of the size that the tile would have."""
        height, width, channels = tile.shape
        return np.zeros((height * self.scale, width * self.scale, channels), np.uint8)

    def close(self) -> None:
        """Leave the engine to its owner."""
