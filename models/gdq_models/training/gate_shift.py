"""The last adjustment of a gate: its biases shifted until it meets its budget without noise.

In training the gate chooses with noise, in use by the largest logit, so mean bit-widths differ.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from gdq_models.networks.base import SuperResolutionNetwork
from gdq_models.predictor.entropy import tile_entropy
from gdq_models.predictor.gbc import GATE_BIT_WIDTHS

_ROUNDS = 40


def meet_target_fab(
    network: SuperResolutionNetwork, batches: Iterable[Tensor], target_fab: float
) -> float:
    """Shift the gate's biases along the bit-widths as far as FAB stays within the target.

    Every bit-width between the extremes stays reachable, since the order of tiles does not change.

    Args:
        network: a network in evaluation mode.
        batches: batches of tiles (N, 3, H, W), 0..255.
        target_fab: largest mean bit-width over all tiles.

    Returns:
        the mean bit-width reached.
    """
    with torch.no_grad():
        parts = [(network.predict(tiles).logits, tile_entropy(tiles)) for tiles in batches]
        logits, by_entropy = (torch.cat(values) for values in zip(*parts, strict=True))
        by_entropy = network.gate_predictor.e2b(by_entropy)
        slope = logits.new_tensor(GATE_BIT_WIDTHS) - 6
        low, high = _bracket(logits)
        for _ in range(_ROUNDS):
            middle = (low + high) / 2
            if _fab(logits + middle * slope, by_entropy) <= target_fab:
                low = middle
            else:
                high = middle
        network.gate_predictor.gate.linear.bias.add_(low * slope)
        return _fab(logits + low * slope, by_entropy)


def _bracket(logits: Tensor) -> tuple[float, float]:
    """Return two shifts: one gives every tile the fewest bits, the other the most."""
    reach = float(logits.max() - logits.min()) + 1
    return -reach, reach


def _fab(logits: Tensor, by_entropy: Tensor) -> float:
    choice = logits.argmax(dim=1)
    widths = torch.tensor(GATE_BIT_WIDTHS, device=logits.device)[choice]
    return float(torch.where(choice == len(GATE_BIT_WIDTHS) - 1, by_entropy, widths).float().mean())
