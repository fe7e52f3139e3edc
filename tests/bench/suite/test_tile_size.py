from __future__ import annotations

import pytest

from gdq_bench.measure.clock import Times
from gdq_bench.suite.tile_size import TILES, compare


def test_only_pixels_that_a_tile_adds_count() -> None:
    """Time in proportion to them makes all sizes equal: 6 pixels are the neighbour's."""
    times = {f"any, {tile}": Times(wall=[1], cpu=[1e-6 * (tile - 6) ** 2]) for tile in TILES}
    result = compare("any", times, scale=2)
    assert result.value == pytest.approx(1)
    assert result.facts["48x48: cpu, ns per new pixel"] == 250
    assert result.facts["128x128: cpu, ns per new pixel"] == 250


def test_the_default_size_is_held_against_the_best() -> None:
    """Time in proportion to all pixels favours large tiles."""
    times = {f"any, {tile}": Times(wall=[1], cpu=[1e-6 * tile**2]) for tile in TILES}
    result = compare("any", times, scale=2)
    assert result.value == pytest.approx((96 / 90) ** 2 / (128 / 122) ** 2)
    assert result.is_reached
