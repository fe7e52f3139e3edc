from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from gdq_validate.chance.errors import PictureErrors
from gdq_validate.chance.losses import Market, Outcome

ROUTES = (0, 4, 5, 8)
BITS = {4: 4.0, 5: 5.0, 8: 8.0}


def draw_picture(seed: int, tiles: int = 3) -> PictureErrors:
    random = np.random.default_rng(seed)
    added = np.sort(random.uniform(1, 3, (tiles, 4)), axis=1)[:, ::-1]
    return PictureErrors(ROUTES, 8, added)


def test_chance_loses_what_drawing_loses() -> None:
    pictures = [draw_picture(seed) for seed in range(2)]
    random = np.random.default_rng(0)
    losses = []
    for width, share in ((5, 0.5), (8, 0.125)):  # both are 4.5 bits
        by_picture = []
        for picture in pictures:
            drawn = [
                np.where(random.random(3) < share, width, 4).astype(np.uint8) for _ in range(4000)
            ]
            error = float(np.mean([picture.of_bit_map(bit_map) for bit_map in drawn]))
            by_picture.append(picture.loss(error))
        losses.append(np.mean(by_picture))
    assert Market(pictures, BITS).by_chance(4.5) == pytest.approx(min(losses), abs=0.01)


def test_all_tiles_on_one_route_leave_nothing_to_chance() -> None:
    pictures = [draw_picture(seed) for seed in range(3)]
    fixed = np.mean([picture.loss(picture.fixed[2]) for picture in pictures])
    market = Market(pictures, {4: 4.0, 5: 5.0})
    assert market.by_chance(5) == pytest.approx(fixed)
    assert market.by_chance(7) == pytest.approx(fixed), "beyond the dearest"


def test_no_routing_at_its_price_beats_the_oracle() -> None:
    pictures = [draw_picture(seed, tiles=4) for seed in range(2)]
    market = Market(pictures, BITS)
    ways = [list(product(BITS, repeat=4)) for _ in pictures]
    outcomes = [
        [(np.mean(way), one.loss(one.of_bit_map(np.array(way, np.uint8)))) for way in its]
        for one, its in zip(pictures, ways, strict=True)
    ]
    best = np.inf
    for (bits, loss), (others, other) in product(*outcomes):
        if (bits + others) / 2 <= 5.5:
            best = min(best, (loss + other) / 2)
    # Prices lead only to the corners; between them, and to first order, a little is lost.
    assert market.by_oracle(5.5) == pytest.approx(best, abs=0.1)
    assert market.by_oracle(5.5) < market.by_chance(5.5) - 0.1


def test_the_oracle_may_interpolate_if_that_has_a_price() -> None:
    picture = PictureErrors(ROUTES, 8, np.array([[1.0, 9, 5, 1], [9.0, 9, 5, 1]]))
    assert Market([picture], BITS, interpolation=0.5).by_oracle(4.25) == pytest.approx(0)
    assert Market([picture], BITS).by_oracle(4.25) > 1


def test_a_share_of_chance_has_an_interval_over_pictures() -> None:
    pictures = [draw_picture(seed) for seed in range(20)]
    market = Market(pictures, BITS)
    half = np.array([picture.loss(picture.fixed[1]) for picture in pictures]) / 2
    ratio, interval = market.judge(Outcome(half, np.full(20, 4.0)))
    assert ratio == pytest.approx(0.5)
    assert interval == pytest.approx((0.5, 0.5)), "half in each picture, half in all"
    uneven = half * np.tile([0.5, 1.5], 10)
    ratio, interval = market.judge(Outcome(uneven, np.full(20, 4.0)))
    assert ratio is not None
    assert interval is not None
    assert interval[0] < ratio - 0.05 < ratio + 0.05 < interval[1]


def test_nothing_is_no_share_of_nothing() -> None:
    pictures = [draw_picture(seed) for seed in range(2)]
    assert Market(pictures, BITS).judge(Outcome(np.zeros(2), np.full(2, 8.0))) == (None, None)
