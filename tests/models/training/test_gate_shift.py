from __future__ import annotations

import pytest
import torch

from factories import sample_tiles, tiny_edsr
from gdq_models.training.gate_shift import meet_target_fab


@pytest.mark.parametrize("target", [4.0, 4.3, 4.6, 5.0, 5.5])
def test_meets_the_target_and_uses_it(target: float) -> None:
    network, tiles = tiny_edsr(gate="group_norm"), sample_tiles(64, seed=1)
    reached = meet_target_fab(network, torch.split(tiles, 16), target)
    predicted = network.predict(tiles).bit_width.float().mean().item()
    assert reached == pytest.approx(predicted)
    assert reached <= target
    # One tile of 64 more would exceed it, or all have 8 bits (as far as the entropy rule lets).
    assert reached > target - 0.3 or target > 5


def test_moves_nothing_but_the_bias() -> None:
    network = tiny_edsr(gate="group_norm")
    before = {key: value.clone() for key, value in network.state_dict().items()}
    meet_target_fab(network, torch.split(sample_tiles(), 8), 4.5)
    changed = [
        key for key, value in network.state_dict().items() if not torch.equal(value, before[key])
    ]
    assert changed in ([], ["predictor.gate.linear.bias"])
