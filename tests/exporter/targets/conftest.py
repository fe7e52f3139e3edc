"""What both formats write in their tests."""

from __future__ import annotations

import pytest

from exporter import traced
from factories import sample_tiles, tiny_edsr
from gdq_core.bit_widths import BIT_WIDTHS, BitWidth
from gdq_exporter.config import DEFAULT_PROFILE, PROFILES
from gdq_exporter.lowering import LoweredNetwork, lower_shared, lower_width
from gdq_exporter.trace import trace
from gdq_models import SuperResolutionNetwork


@pytest.fixture(scope="module")
def lowered() -> LoweredNetwork:
    return traced.lowered("edsr x2", 5)


@pytest.fixture(scope="session")
def edsr_baseline() -> tuple[SuperResolutionNetwork, list[LoweredNetwork]]:
    """Of its real size, for tiles of 16 pixels, and lowered to all widths."""
    network = tiny_edsr(2, channels=64, blocks=16)
    shared = lower_shared(trace(network, 16), PROFILES[DEFAULT_PROFILE])
    tiles = sample_tiles(1, 16).permute(0, 2, 3, 1).byte().numpy()
    widths: tuple[BitWidth, ...] = BIT_WIDTHS
    return network, [lower_width(shared, bit_width, tiles) for bit_width in widths]
