from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdq_core.bit_widths import INTERPOLATED
from gdq_core.errors import RequestError
from gdq_core.sensitivity.heads import Sensitivity
from gdq_core.sensitivity.pair import PairRule, PairSensitivity
from gdq_core.sensitivity.picture_error import picture_level
from gdq_core.sensitivity.prices import NEVER
from gdq_runtime.bundle.manifest import PricePoint, TradeOff
from gdq_runtime.engines.costs import Costs
from gdq_runtime.routing.dial import Crew
from gdq_runtime.routing.picture_routing import RouteRule, Tile
from gdq_runtime.routing.price_dial import turn_price_to_seconds
from gdq_runtime.routing.request import Request
from gdq_runtime.routing.sensed_picture import BANDS_AHEAD
from gdq_runtime.routing.timed_picture import TimeDial, TimedPicture
from sensitivities import draw_rule

LADDER = Costs({0: 0.25, 4: 4.0, 5: 5.0, 6: 6.0, 8: 8.0}, 0.5)
SIX_AS_SLOW_AS_EIGHT = Costs({0: 0.25, 4: 4.0, 5: 5.0, 6: 8.0, 8: 8.0}, 0.5)
ONE_SPEED = Costs({0: 0.25, 4: 8.0, 5: 8.0, 6: 8.0, 8: 8.0}, 0.5)
PAIR = Costs({0: 0.1, 68: 2.0, 69: 2.2, 70: 2.4, 72: 3.0, 4: 8.0, 5: 8.5, 6: 9.0, 8: 10.0}, 0.5)
RULE = draw_rule(seed=0)
PAIR_RULE = PairRule(RULE, draw_rule(seed=1))
COLUMNS = 10


def draw_pair_bands(seed: int, bands: int) -> list[list[PairSensitivity]]:
    low, high = (-150, -20, -260), (60, 100, 50)
    drawn = np.random.default_rng(seed).integers(low, high, (bands, COLUMNS, 2, 3))
    # The small network is worse everywhere, so that there is always something to buy.
    drawn[..., 1, 1] = drawn[..., 0, 1] + 8 + abs(drawn[..., 1, 1]) // 2
    return [
        [PairSensitivity(*(Sensitivity(*one) for one in tile)) for tile in band]
        for band in drawn.tolist()
    ]


def draw_bands(seed: int, bands: int) -> list[list[Sensitivity]]:
    return [[tile.large for tile in band] for band in draw_pair_bands(seed, bands)]


def run(
    rule: RouteRule[Tile],
    costs: Costs,
    seconds: float,
    bands: list[list[Tile]],
    *,
    interpolates: bool = True,
) -> list[int]:
    """Routes a picture as the runtime does: some bands are read ahead."""
    dial = TimeDial(costs, seconds)
    picture = TimedPicture(rule, dial, len(bands) * COLUMNS, interpolates=interpolates)
    routes: list[int] = []
    waiting: list[list[Tile]] = []
    for band in bands:
        picture.read(band)
        waiting.append(band)
        if len(waiting) > BANDS_AHEAD:
            routes += picture.decide(waiting.pop(0))
    for band in waiting:
        routes += picture.decide(band)
    return routes


def taken(costs: Costs, routes: list[int]) -> float:
    return sum(costs.seconds[route] for route in routes) / len(routes)


@given(
    st.sampled_from([LADDER, SIX_AS_SLOW_AS_EIGHT, ONE_SPEED]),
    st.floats(1, 2.5),
    st.integers(1, 8),
    st.integers(0, 5),
    st.booleans(),
)
def test_every_picture_keeps_its_time(
    costs: Costs, over: float, bands: int, seed: int, interpolates: bool
) -> None:
    seconds = over * costs.seconds[costs.useful[0]]
    drawn = draw_bands(seed, bands)
    routes = run(RULE, costs, seconds, drawn, interpolates=interpolates)
    assert taken(costs, routes) <= seconds * (1 + 1e-9)
    assert set(routes) <= {INTERPOLATED, *costs.useful}
    assert interpolates or INTERPOLATED not in routes


@pytest.mark.parametrize("interpolates", [True, False])
@pytest.mark.parametrize("bands", [1, 7])
@pytest.mark.parametrize("seconds", [2.0, 2.1, 3.7, 12.0])
def test_every_picture_of_two_networks_keeps_its_time(
    seconds: float, bands: int, interpolates: bool
) -> None:
    drawn = draw_pair_bands(bands, bands)
    routes = run(PAIR_RULE, PAIR, seconds, drawn, interpolates=interpolates)
    assert taken(PAIR, routes) <= seconds * (1 + 1e-9)
    assert set(routes) <= {INTERPOLATED, *PAIR.routes}
    assert interpolates or INTERPOLATED not in routes


@pytest.mark.parametrize("bands", [2, 5, 30])
@pytest.mark.parametrize("share", [0.55, 0.7, 0.9])
def test_the_time_of_every_picture_is_used(share: float, bands: int) -> None:
    routes = run(RULE, LADDER, 8 * share, draw_bands(1, bands))
    assert taken(LADDER, routes) > 0.93 * 8 * share
    routes = run(PAIR_RULE, PAIR, 10 * share, draw_pair_bands(1, bands))
    assert taken(PAIR, routes) > 0.85 * 10 * share


def test_the_demanding_tiles_get_the_bits() -> None:
    bands = draw_bands(2, 20)
    routes = np.array(run(RULE, LADDER, 5.0, bands, interpolates=False))
    noise = np.array([tile.noise for band in bands for tile in band])
    assert noise[routes == 8].mean() > noise[routes == 4].mean() + 60


def test_no_other_routes_of_the_same_time_lose_less() -> None:
    (band,) = draw_bands(3, 1)
    routes = run(RULE, LADDER, 5.5, [band], interpolates=False)
    level = picture_level(tile.error for tile in band)
    least = {0.0: 0.0}  # seconds that the tiles so far took -> what they lose at least
    for tile in band:
        ways = [
            (taken + LADDER.seconds[one], lost + RULE.loss(tile, level, one))
            for taken, lost in least.items()
            for one in LADDER.useful
        ]
        least = {taken: min(lost for other, lost in ways if other == taken) for taken, _ in ways}
    lost = sum(RULE.loss(tile, level, one) for tile, one in zip(band, routes, strict=True))
    assert lost == pytest.approx(min(least[taken] for taken in least if taken <= sum(routes)))


def test_what_interpolated_tiles_save_is_spent() -> None:
    bands = draw_bands(4, 20)
    with_flat, without = (
        run(RULE, LADDER, 5.0, bands, interpolates=choice) for choice in (True, False)
    )
    by_network = [route for route in with_flat if route != INTERPOLATED]
    assert len(by_network) < len(with_flat)
    assert np.mean(by_network) > np.mean(without) + 0.2


def test_no_tile_is_interpolated_where_there_is_time_for_all() -> None:
    bands, pair_bands = draw_bands(2, 6), draw_pair_bands(2, 6)
    assert INTERPOLATED in run(RULE, LADDER, 5.0, bands)
    assert set(run(RULE, LADDER, 8.0, bands)) == {8}
    assert INTERPOLATED in run(PAIR_RULE, PAIR, 3.0, pair_bands)
    # The large network's largest width for all, but where a cheaper route loses nothing.
    assert INTERPOLATED not in run(PAIR_RULE, PAIR, 10.0, pair_bands)


def test_the_tiles_that_lose_most_get_the_large_network() -> None:
    (band,) = draw_pair_bands(3, 1)
    routes = np.array(run(PAIR_RULE, PAIR, 5.0, [band], interpolates=False))
    level = 40  # whatever the picture's is, it is the same for all tiles
    losses = [[PAIR_RULE.loss(tile, level, route) for route in (68, 8)] for tile in band]
    saved = np.array([small - large for small, large in losses])
    assert saved[routes <= 8].min() > saved[routes > 8].max() / 4
    assert saved[routes <= 8].mean() > 2 * saved[routes > 8].mean()


TRADE_OFF = TradeOff.model_construct(
    prices=[
        PricePoint(fab=4, loss_db=0.4, price=50),
        PricePoint(fab=6, loss_db=0.1, price=-50),
        PricePoint(fab=8, loss_db=0.0, price=-150),
    ]
)


@pytest.mark.parametrize(
    ("request_", "price", "loss", "seconds"),
    [
        (Request(speed=1), -150, 0.0, 8.0),
        (Request(speed=1.6), 0, 0.25, 5.0),
        (Request(speed=2), NEVER, 0.4, 4.0),  # no time for anything but the fewest bits
        (Request(max_seconds=30), -50, 0.1, 6.0),  # 9 tiles on 2 threads, a tenth for the rest
    ],
)
def test_the_price_begins_where_the_calibration_took_the_time(
    request_: Request, price: float, loss: float, seconds: float
) -> None:
    start, allowed = turn_price_to_seconds(TRADE_OFF, request_, None, LADDER, Crew(9, 2))
    assert start.price == pytest.approx(price)
    assert start.loss_db == pytest.approx(loss)
    assert allowed == pytest.approx(seconds)


def test_what_is_out_of_reach_is_refused() -> None:
    with pytest.raises(RequestError, match=r"speed 2\.5x is out of reach: .* 2\.00 times as fast"):
        turn_price_to_seconds(TRADE_OFF, Request(speed=2.5), None, LADDER, None)
    with pytest.raises(RequestError, match="need the costs of tiles"):
        turn_price_to_seconds(TRADE_OFF, Request(speed=2), None, None, None)
    with pytest.raises(RequestError, match="no bit budget dial"):
        turn_price_to_seconds(None, Request(speed=2), None, LADDER, None)
