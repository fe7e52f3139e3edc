from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gdq_core.bit_widths import BIT_WIDTHS
from gdq_core.sensitivity.prices import DECIBELS, NEVER, PriceSteps
from gdq_core.sensitivity.statistics import STRONG, STRONG_STEPS, tile_statistics
from gdq_models.fitting.losses import interpolation_losses, psnr_losses
from gdq_models.fitting.measurement import TileMeasurements
from gdq_models.fitting.sensitivity import (
    LARGEST_FLAT_LOSS,
    FittedRule,
    find_flat,
    fit_heads,
    fit_rule,
    price_for,
    score,
    score_unseen,
)


def draw_tiles(seed: int = 0, photos: int = 40, per_photo: int = 6) -> TileMeasurements:
    """Draws tiles whose noise, error and cost of interpolation statistics tell but for chance."""
    random = np.random.default_rng(seed)
    count = photos * per_photo
    inputs = random.integers(0, 90, (count, 9)).astype(np.float64)
    inputs[:, STRONG_STEPS] = 0
    chance = random.normal(size=(3, count))
    error = np.exp(inputs[:, 1] / 20 - 1 + 0.2 * chance[0])
    noise = np.exp(inputs[:, 0] / 15 - 4 + 0.4 * chance[1])
    added = np.exp(inputs[:, 2] / 12 - 5 + 0.2 * chance[2])
    errors = error[:, None] + noise[:, None] * np.array([1.0, 0.3, 0.1, 0.0])
    photo = np.arange(count) // per_photo
    return TileMeasurements(inputs, np.ones(count), errors, error, error + added, photo)


def loss_of(tiles: TileMeasurements, widths: np.ndarray) -> float:
    losses = psnr_losses(tiles)
    return float(losses[np.arange(len(widths)), np.searchsorted(BIT_WIDTHS, widths)].mean())


def test_heads_speak_in_octaves_of_squared_error() -> None:
    tiles = draw_tiles()
    said = fit_heads(tiles, 96).apply(tiles.inputs.astype(np.int64)) / 32
    error = tiles.errors[:, -1]
    noise, added = tiles.errors[:, 0] - error, tiles.interpolated - error
    added = np.minimum(added, 0.3 * tiles.of_photo(error))  # beyond, no tile is flat
    for column, truth in enumerate((noise, error, added)):
        assert np.corrcoef(said[:, column], np.log2(truth))[0, 1] > 0.9
        assert said[:, column].mean() == pytest.approx(np.log2(truth).mean(), abs=0.5)


@pytest.mark.parametrize("target", [4.2, 4.6, 5.0, 6.0])
def test_beats_chance_on_photos_that_it_has_not_seen(target: float) -> None:
    seen, unseen = draw_tiles(1), draw_tiles(2)
    widths = FittedRule(fit_rule(seen, 96, target)).decide(unseen)
    shares = np.bincount(np.searchsorted(BIT_WIDTHS, widths), minlength=4) / len(widths)
    assert widths.mean() == pytest.approx(target, abs=0.3)
    assert loss_of(unseen, widths) < 0.6 * float((psnr_losses(unseen) @ shares).mean())


def test_held_out_scores_know_nothing_of_their_photo() -> None:
    tiles = draw_tiles()
    changed = tiles.photo == 0
    noisier = np.where(changed[:, None], tiles.errors * [50, 9, 3, 1], tiles.errors)
    before = score_unseen(tiles, 96)
    after = score_unseen(replace(tiles, errors=noisier), 96)
    np.testing.assert_array_equal(before.noise[changed], after.noise[changed])
    assert (before.noise[~changed] != after.noise[~changed]).any()


def test_a_tile_counts_relative_to_its_photo() -> None:
    """The same tiles, as one photo and as many: only what they are compared with changes."""
    tiles = draw_tiles(photos=2, per_photo=30)
    heads = fit_heads(tiles, 96)
    apart = score(heads, tiles).noise
    together = score(heads, replace(tiles, photo=np.zeros_like(tiles.photo))).noise
    moved = apart - together
    assert len(set(moved[:30])) == len(set(moved[30:])) == 1
    assert moved[0] != moved[-1]


@settings(max_examples=40)
@given(scores=st.lists(st.integers(-200, 200), min_size=1, max_size=30), target=st.floats(4, 8))
def test_the_price_is_the_lowest_within_the_budget(scores: list[int], target: float) -> None:
    steps, array = PriceSteps((17, 74, 134)), np.array(scores)
    price = price_for(array, steps, target)
    assert steps.choose_all(array, price).mean() <= target
    cheaper = steps.choose_all(array, price - 1)
    assert target >= 8 or cheaper.mean() > target


def test_flat_tiles_keep_to_their_bound_on_held_out_photos() -> None:
    tiles = draw_tiles(3)
    rule = fit_rule(tiles, 96, 4.6)
    flat = score_unseen(tiles, 96).interpolation <= rule.flat
    assert 0.05 < flat.mean() < 0.9
    assert interpolation_losses(tiles)[flat].sum() / len(tiles) <= 0.01


def test_flat_tiles_have_a_margin_for_other_photos() -> None:
    """One photo of twenty has all the loss: within the bound by luck, that it was drawn once."""
    tiles = draw_tiles(3, photos=20)
    losing = tiles.photo == 7
    unit = tiles.of_photo(tiles.errors[:, -1]) / DECIBELS
    added = np.where(losing, 0.19, 1e-4) * unit
    one_loses = replace(tiles, interpolated=tiles.errors[:, -1] + added)
    losses = interpolation_losses(one_loses)
    assert losses.mean() <= LARGEST_FLAT_LOSS
    scores = np.where(losing, 1, 0)
    assert find_flat(scores, losses, tiles.photo) == 0
    assert find_flat(scores, losses / 2, tiles.photo) == 1


def test_a_tile_with_a_sharp_detail_is_never_flat() -> None:
    rule = fit_rule(draw_tiles(), 32, 4.6)
    tile = np.full((32, 32, 3), 60, np.uint8)
    level = rule.sense(tile).interpolation - rule.flat
    assert rule.is_flat(rule.sense(tile), level)
    tile[10:12, 10:12] = 60 + STRONG - 1
    assert rule.is_flat(rule.sense(tile), level + 400)
    tile[10:12, 10:12] = 60 + STRONG
    assert tile_statistics(tile, 32)[STRONG_STEPS] > 0
    assert not rule.is_flat(rule.sense(tile), level + 400)


def test_no_tile_is_flat_where_interpolation_always_costs() -> None:
    tiles = draw_tiles()
    worse = replace(tiles, interpolated=tiles.errors[:, -1] * 50)
    assert fit_rule(worse, 96, 4.6).flat == -NEVER


def test_tiles_that_lose_nothing_can_be_fitted() -> None:
    tiles = draw_tiles()
    equal = np.repeat(tiles.errors[:, -1:], 4, axis=1)
    fitted = FittedRule(fit_rule(replace(tiles, errors=equal), 96, 5))
    assert fitted.decide(tiles).mean() <= 5
    nothing = np.zeros(len(tiles))
    black = replace(
        tiles, errors=0 * equal, interpolated=nothing, inputs=np.zeros_like(tiles.inputs)
    )
    assert FittedRule(fit_rule(black, 96, 5)).decide(black).mean() <= 5
