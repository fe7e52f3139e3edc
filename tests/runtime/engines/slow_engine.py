"""An engine of which every answer takes as long as one says, by a clock of its own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gdq_core.sensitivity.heads import Sensitivity
from gdq_runtime.engines.base import Prediction
from runtime.tiny_bundle import upscale


class SlowEngine:
    """Repeats pixels; widths answer with their brightness added, after the seconds given."""

    name = "slow"
    accelerator_asked = "CPU"

    def __init__(
        self, seconds: Mapping[int, float], predict: float = 0.25, used: str = "CPU"
    ) -> None:
        self.seconds, self.seconds_to_predict, self.accelerator_used = seconds, predict, used
        self.now = 0.0
        self.runs = 0
        self.closed = False

    def clock(self) -> float:
        return self.now

    def predict(self, tile: NDArray[np.uint8]) -> Prediction:
        self.now += self.seconds_to_predict
        return Prediction(np.zeros(3, np.float32), float(tile.mean()) / 255, 4)

    def sense(self, tile: NDArray[np.uint8]) -> Sensitivity:
        raise NotImplementedError

    def run(self, bit_width: int, tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
        self.now += self.seconds[bit_width]
        self.runs += 1
        return upscale(tile, bit_width)

    def close(self) -> None:
        self.closed = True
