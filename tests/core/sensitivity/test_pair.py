from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gdq_core.bit_widths import BIT_WIDTHS, INTERPOLATED, SMALL
from gdq_core.sensitivity.heads import Sensitivity
from gdq_core.sensitivity.pair import PairRule, PairSensitivity
from gdq_core.sensitivity.prices import DECIBELS
from gdq_core.sensitivity.statistics import tile_statistics
from sensitivities import draw_rule, draw_tiles

RULE = PairRule(draw_rule(seed=0), draw_rule(seed=1))
TILE = PairSensitivity(Sensitivity(10, 64, 50), Sensitivity(-20, 96, 30))
"""Errors 4 and 8, so that the small network adds as much as the large one has."""


def test_both_networks_read_the_same_statistics() -> None:
    tile = draw_tiles(32)[3]
    both = RULE.sense(tile_statistics(tile, 32))
    assert both == (RULE.large.sense(tile), RULE.small.sense(tile))
    assert both.error == both.large.error


def test_interpolation_is_a_route_of_its_own_loss() -> None:
    assert RULE.loss(TILE, 50, INTERPOLATED) == pytest.approx(DECIBELS)
    assert RULE.loss(TILE, 82, INTERPOLATED) == pytest.approx(DECIBELS / 2)


@pytest.mark.parametrize("width", BIT_WIDTHS)
def test_on_the_large_network_a_tile_loses_what_its_rule_says(width: int) -> None:
    assert RULE.loss(TILE, 64, width) == RULE.large.loss(TILE.large, 64, width)


@pytest.mark.parametrize("width", BIT_WIDTHS)
def test_on_the_small_one_it_loses_the_difference_of_the_errors_too(width: int) -> None:
    own = RULE.small.loss(TILE.small, 64, width)
    assert RULE.loss(TILE, 64, SMALL + width) == pytest.approx(DECIBELS * (8 - 4) / 4 + own)
    # In a picture of twice the error, half as much.
    assert RULE.loss(TILE, 96, SMALL + width) == pytest.approx(
        DECIBELS * (8 - 4) / 8 + own / 2, rel=1e-9
    )


def test_a_small_network_that_is_better_loses_nothing() -> None:
    better = TILE._replace(small=Sensitivity(-20, 32, 30))
    assert RULE.loss(better, 64, SMALL + 8) == 0
    assert RULE.loss(better, 64, SMALL + 4) == RULE.small.loss(better.small, 64, 4)


def test_flat_tiles_are_those_of_the_large_network() -> None:
    levels = range(0, 400, 20)
    flat = [RULE.is_flat(TILE, level) for level in levels]
    assert flat == [RULE.large.is_flat(TILE.large, level) for level in levels]
    assert np.any(flat)
    assert not np.all(flat)


def test_predictors_of_different_tiles_are_refused() -> None:
    with pytest.raises(ValueError, match="tiles of 32 and 48"):
        replace(RULE, small=draw_rule(48))
