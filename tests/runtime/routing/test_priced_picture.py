from __future__ import annotations

import numpy as np
import pytest

from gdq_core.bit_widths import INTERPOLATED, SMALL
from gdq_core.sensitivity.heads import OCTAVE, Sensitivity
from gdq_core.sensitivity.pair import PairRule, PairSensitivity
from gdq_core.sensitivity.picture_error import picture_level
from gdq_core.sensitivity.prices import decibels_per_bit
from gdq_runtime.routing.price_control import PriceControl
from gdq_runtime.routing.priced_picture import PricedPicture
from sensitivities import draw_rule

RULE = PairRule(draw_rule(seed=0), draw_rule(seed=1))
COSTS = {INTERPOLATED: 0.01, 68: 0.2, 69: 0.22, 70: 0.24, 72: 0.3, 4: 0.8, 5: 0.85, 6: 0.9, 8: 1.0}


def draw_band(seed: int, tiles: int = 60) -> list[PairSensitivity]:
    random = np.random.default_rng(seed)
    low, high = (-150, -20, -260), (60, 100, 50)
    drawn = zip(*(random.integers(low, high, (tiles, 3)).tolist() for _ in range(2)), strict=True)
    return [PairSensitivity(Sensitivity(*one), Sensitivity(*two)) for one, two in drawn]


def route(price: float, *, interpolates: bool = False, max_loss: float | None = None) -> list[int]:
    control = PriceControl(RULE.large, price, max_loss=max_loss)
    picture = PricedPicture(RULE, COSTS, control, interpolates=interpolates)
    band = draw_band(2)
    picture.read(band)
    return picture.decide(band)


def test_each_tile_loses_least_with_its_cost_paid_for() -> None:
    band, price = draw_band(2), decibels_per_bit(-20)
    level = picture_level(tile.error for tile in band)
    for interpolates in (False, True):
        for tile, chosen in zip(band, route(-20, interpolates=interpolates), strict=True):
            paid = {one: RULE.loss(tile, level, one) + price * cost for one, cost in COSTS.items()}
            if not (interpolates and RULE.is_flat(tile, level)):
                del paid[INTERPOLATED]
            assert paid[chosen] == min(paid.values())


def test_both_networks_are_used_and_the_price_decides_how_much() -> None:
    cheap, middle, dear = (
        sum(COSTS[one] for one in route(price)) for price in (12 * OCTAVE, 0, -12 * OCTAVE)
    )
    assert cheap == pytest.approx(60 * COSTS[68])
    assert cheap < middle < dear
    middle_routes = route(0)
    assert min(middle_routes) < SMALL < max(middle_routes)


def test_flat_tiles_are_interpolated_where_that_is_allowed() -> None:
    level = picture_level(tile.error for tile in draw_band(2))
    flat = [RULE.is_flat(tile, level) for tile in draw_band(2)]
    assert any(flat)
    interpolated = [one == INTERPOLATED for one in route(12 * OCTAVE, interpolates=True)]
    assert interpolated == flat, "it costs least"
    assert INTERPOLATED not in route(-12 * OCTAVE, interpolates=True), "but loses most"
    assert INTERPOLATED not in route(-20)


def test_a_largest_loss_moves_the_price() -> None:
    strict, lax = (sum(COSTS[one] for one in route(0, max_loss=loss)) for loss in (0.001, 10))
    assert strict > lax
