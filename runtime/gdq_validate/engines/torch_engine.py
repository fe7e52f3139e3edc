"""The torch network as an engine of the runtime, so that both cut and stitch alike."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from gdq_core.bit_widths import FLOAT
from gdq_core.sensitivity.heads import Sensitivity
from gdq_models import SuperResolutionNetwork
from gdq_runtime.engines.base import Prediction


class TorchEngine:
    """Runs a network in torch on the CPU; at ``FLOAT`` without its quantizers."""

    name = "torch"
    accelerator_asked = accelerator_used = "CPU"

    def __init__(self, network: SuperResolutionNetwork) -> None:
        self._network = network.eval()
        # The runtime's workers are pinned: threads of torch's own would share their processors.
        torch.set_num_threads(1)

    def predict(self, tile: NDArray[np.uint8]) -> Prediction:
        """See ``Engine.predict``."""
        with torch.inference_mode():
            prediction = self._network.predict(_tensor(tile))
        return Prediction(
            prediction.logits[0].numpy(), float(prediction.entropy), int(prediction.bit_width)
        )

    def sense(self, tile: NDArray[np.uint8]) -> Sensitivity:
        """See ``Engine.sense``; there is no graph, and the statistics are the tile's alone."""
        rule = self._network.sensitivity_rule()
        assert rule is not None, "the network has a gate"
        return rule.sense(tile)

    def run(self, bit_width: int, tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See ``Engine.run``."""
        with torch.inference_mode():
            is_float = bit_width == FLOAT
            route = None if is_float else self._network.route_for(torch.tensor([bit_width]))
            output = self._network(_tensor(tile), route)[0].permute(1, 2, 0)
            pixels: NDArray[np.uint8] = output.round().clamp(0, 255).byte().numpy()
        return pixels

    def close(self) -> None:
        """See ``Engine.close``; there is nothing to free."""


def _tensor(tile: NDArray[np.uint8]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(tile)).permute(2, 0, 1)[None].float()
