"""The two readings of the format that the engine is compared with, this one and reference.py."""

from __future__ import annotations

import numpy as np
import pytest

from engine.networks import BIT_WIDTHS, NETWORKS
from engine.packed import CODES, stored
from engine.reference import execute, read
from engine.test_network import random_tile


@pytest.mark.parametrize("name", NETWORKS)
def test_both_read_the_same(name: str) -> None:
    network = NETWORKS[name](0, 2)
    if name == "residual_blocks":
        layer = network.layers[1]
        assert layer.weight_steps is not None
        layer.weight_steps = layer.weight_steps[:1]
    tile = random_tile(0, 6, 7)
    for width, bit_width in enumerate(BIT_WIDTHS):
        one = network.run(bit_width, tile)
        other = execute(read(network.to_bytes()), bit_width, tile)
        for number, value in enumerate(network.values[1:], 1):
            mine = stored(value, width, one[number])
            theirs = other[number][0].permute(1, 2, 0).numpy()
            assert np.abs(mine - theirs).max() <= 1
            assert value.kind != CODES or (mine != theirs).mean() < 0.01
