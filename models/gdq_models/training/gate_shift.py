"""The last adjustment of a gate: its biases shifted until it meets its budget without noise.

In training the gate chooses with noise, in use by the largest logit, so mean bit-widths differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

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

        def choice(shift: float) -> Tensor:
            return (logits + shift * slope).argmax(dim=1)

        fewest, most = _bracket(logits)
        within = _last(lambda shift: _fab(choice(shift), by_entropy) <= target_fab, fewest, most)
        chosen = choice(within)
        # From there down to the last shift that chooses otherwise, nothing changes. The middle is
        # the farthest from both: logits of batches of another size are rounded otherwise.
        below = _last(lambda shift: not torch.equal(choice(shift), chosen), fewest, within)
        network.gate_predictor.gate.linear.bias.add_((below + within) / 2 * slope)
        return _fab(chosen, by_entropy)


def _last(holds: Callable[[float], bool], low: float, high: float) -> float:
    """Return the largest shift from ``low`` to ``high`` of which ``holds`` is true (or ``low``)."""
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        if holds(middle):
            low = middle
        else:
            high = middle
    return low


def _bracket(logits: Tensor) -> tuple[float, float]:
    """Return two shifts: one gives every tile the fewest bits, the other the most."""
    reach = float(logits.max() - logits.min()) + 1
    return -reach, reach


def _fab(choice: Tensor, by_entropy: Tensor) -> float:
    widths = torch.tensor(GATE_BIT_WIDTHS, device=choice.device)[choice]
    return float(torch.where(choice == len(GATE_BIT_WIDTHS) - 1, by_entropy, widths).float().mean())
