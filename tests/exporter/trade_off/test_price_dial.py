from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gdq_core.sensitivity.prices import NEVER
from gdq_exporter.trade_off.price_dial import (
    SensedTiles,
    count_flat_tiles,
    find_price_dial,
    sense_tiles,
)
from gdq_exporter.trade_off.tile_errors import TileLosses
from sensitivities import draw_rule, draw_tiles


def draw(count: int = 60) -> tuple[TileLosses, SensedTiles]:
    random = np.random.default_rng(0)
    scores = random.integers(-200, 100, count)
    losses = 2.0 ** (scores[:, None] / 32) * np.array([1.0, 0.3, 0.1, 0.0])
    measured = TileLosses(np.arange(count) // 5, (4, 5, 6, 8), losses, 0.02 * np.ones(count))
    return measured, SensedTiles(draw_rule(price=-50), scores, scores < -150)


def test_each_price_leads_where_it_says() -> None:
    losses, sensed = draw()
    dial = find_price_dial(losses, sensed)
    assert dial.signal is None
    for point in dial.prices:
        widths = sensed.rule.steps.choose_all(sensed.scores, point.price)
        lost = losses.losses[np.arange(len(widths)), np.searchsorted((4, 5, 6, 8), widths)]
        assert abs(widths.mean() - point.fab) < 1e-3
        assert abs(lost.mean() - point.loss_db) < 1e-3
    assert dial.prices[0].fab == 4
    assert dial.prices[-1].fab == 8
    # The ends are where the price begins to matter, not anywhere beyond.
    for end, step in ((0, -1), (-1, 1)):
        price = dial.prices[end].price + step
        assert sensed.rule.steps.choose_all(sensed.scores, price).mean() != dial.prices[end].fab


def test_at_the_mean_of_the_calibration_the_dial_stands_at_its_price() -> None:
    losses, sensed = draw()
    free, anchored = find_price_dial(losses, sensed), find_price_dial(losses, sensed, 4.6)
    moved = {
        one.price - other.price for one, other in zip(anchored.prices, free.prices, strict=True)
    }
    assert len(moved) == 1
    assert moved != {0}
    fabs, prices = zip(*((point.fab, point.price) for point in anchored.prices), strict=True)
    assert np.interp(4.6, fabs, prices) == pytest.approx(sensed.rule.price, abs=1)
    assert [point.fab for point in anchored.prices] == [point.fab for point in free.prices]


def test_heads_that_know_all_are_near_the_oracle() -> None:
    losses, sensed = draw()
    curves = find_price_dial(losses, sensed).curves
    assert curves.sensitivity[0] == curves.oracle[0]
    for point in curves.sensitivity:
        oracle = np.interp(
            point.fab, [p.fab for p in curves.oracle], [p.loss_db for p in curves.oracle]
        )
        assert abs(point.loss_db - oracle) < 0.05 * curves.oracle[0].loss_db


def test_flat_tiles_are_counted_with_what_they_lose() -> None:
    losses, sensed = draw()
    flat = count_flat_tiles(losses, sensed)
    assert flat is not None
    assert flat.largest_gradient is None
    assert flat.share == sensed.is_flat.mean()
    assert abs(flat.loss_db - 0.02 * flat.share) < 1e-5
    none = count_flat_tiles(losses, replace(sensed, is_flat=np.zeros(60, dtype=np.bool_)))
    assert none is not None
    assert (none.share, none.loss_db) == (0, 0)
    never = replace(sensed, rule=replace(sensed.rule, flat=-NEVER))
    assert count_flat_tiles(losses, never) is None


def test_tiles_count_relative_to_their_picture() -> None:
    tiles = draw_tiles(32)[:10]
    losses = TileLosses(np.arange(10) % 2, (4, 8), np.zeros((10, 2)), np.zeros(10))
    rule = draw_rule(32)
    sensed = sense_tiles(rule, losses, [(tile, tile) for tile in tiles])
    alone = [rule.sense(tile).noise for tile in tiles]
    moved = sensed.scores - np.array(alone)
    assert len(set(moved[::2])) == len(set(moved[1::2])) == 1
