from __future__ import annotations

import numpy as np
import pytest

from gdq_core.bit_widths import INTERPOLATED
from gdq_core.sensitivity.heads import Sensitivity
from gdq_core.sensitivity.picture_error import picture_level
from gdq_runtime.routing.price_control import PriceControl
from gdq_runtime.routing.sensed_picture import SensedPicture
from sensitivities import draw_rule


def draw_band(seed: int, count: int = 12) -> list[Sensitivity]:
    drawn = np.random.default_rng(seed).integers((-150, -20, -260), (60, 100, 50), (count, 3))
    return [Sensitivity(*row) for row in drawn.tolist()]


def test_decides_by_all_that_was_read() -> None:
    rule, bands = draw_rule(price=-80), [draw_band(seed) for seed in range(3)]
    picture = SensedPicture(rule, PriceControl(rule, rule.price))
    picture.read(bands[0])
    picture.read(bands[1])
    level = picture_level(tile.error for band in bands[:2] for tile in band)
    expected = [
        INTERPOLATED if rule.is_flat(tile, level) else rule.choose(tile, level, rule.price)
        for tile in bands[0]
    ]
    assert picture.decide(bands[0]) == expected
    assert {INTERPOLATED, 4} < set(expected)


def test_flat_tiles_may_be_left_to_the_network() -> None:
    rule, band = draw_rule(price=-80), draw_band(0)
    picture = SensedPicture(rule, PriceControl(rule, rule.price), interpolates=False)
    picture.read(band)
    assert INTERPOLATED not in picture.decide(band)


def test_one_width_for_all_but_flat_tiles() -> None:
    rule, band = draw_rule(), draw_band(0)
    picture = SensedPicture(rule, PriceControl(rule, rule.price), forced=6)
    picture.read(band)
    assert set(picture.decide(band)) == {INTERPOLATED, 6}


@pytest.mark.parametrize("cap", [4.0, 4.5, 5.0])
def test_a_cap_holds_after_every_tile(cap: float) -> None:
    rule = draw_rule(price=-400)
    picture = SensedPicture(rule, PriceControl(rule, rule.price), cap=cap, interpolates=False)
    widths: list[int] = []
    for seed in range(5):
        band = draw_band(seed)
        picture.read(band)
        widths += picture.decide(band)
        sums = np.cumsum(widths)
        assert (sums <= cap * np.arange(1, len(widths) + 1) + 1e-9).all()
    assert np.mean(widths) > cap - 0.35


def test_the_price_lives_on_from_picture_to_picture() -> None:
    rule = draw_rule(price=-80)
    control = PriceControl(rule, rule.price, fab=4.0)
    for seed in range(3):
        picture, before = SensedPicture(rule, control), control.price
        picture.read(draw_band(seed))
        picture.decide(draw_band(seed))
        assert control.price >= before
    assert control.price > rule.price
