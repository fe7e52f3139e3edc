from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdq_core.bit_widths import INTERPOLATED
from gdq_core.errors import RequestError
from gdq_core.sensitivity.heads import Sensitivity
from gdq_core.sensitivity.picture_error import picture_level
from gdq_core.sensitivity.prices import NEVER
from gdq_runtime.bundle.manifest import PricePoint, TradeOff
from gdq_runtime.engines.costs import Costs
from gdq_runtime.routing.dial import Crew
from gdq_runtime.routing.price_dial import turn_price_to_seconds
from gdq_runtime.routing.request import Request
from gdq_runtime.routing.timed_picture import TimeDial, TimedPicture
from sensitivities import draw_rule

LADDER = Costs({0: 0.25, 4: 4.0, 5: 5.0, 6: 6.0, 8: 8.0}, 0.5)
SIX_AS_SLOW_AS_EIGHT = Costs({0: 0.25, 4: 4.0, 5: 5.0, 6: 8.0, 8: 8.0}, 0.5)
ONE_SPEED = Costs({0: 0.25, 4: 8.0, 5: 8.0, 6: 8.0, 8: 8.0}, 0.5)
BANDS, COLUMNS = 20, 12


def draw_bands(seed: int) -> list[list[Sensitivity]]:
    drawn = np.random.default_rng(seed).integers(
        (-150, -20, -260), (60, 100, 50), (BANDS, COLUMNS, 3)
    )
    return [[Sensitivity(*tile) for tile in band] for band in drawn.tolist()]


def run(dial: TimeDial, bands: list[list[Sensitivity]], *, interpolates: bool = True) -> list[int]:
    picture = TimedPicture(draw_rule(), dial, BANDS * COLUMNS, interpolates=interpolates)
    routes: list[int] = []
    for band in bands:
        picture.read(band)
        routes += picture.decide(band)
    return routes


@given(
    st.sampled_from([LADDER, SIX_AS_SLOW_AS_EIGHT, ONE_SPEED]),
    st.floats(1, 2),
    st.integers(-300, 100),
    st.integers(0, 5),
    st.booleans(),
)
def test_every_picture_keeps_its_time(
    costs: Costs, over: float, price: int, seed: int, interpolates: bool
) -> None:
    seconds = over * costs.seconds[costs.useful[0]]
    routes = run(TimeDial(costs, seconds, price), draw_bands(seed), interpolates=interpolates)
    taken = sum(costs.seconds[route] for route in routes)
    assert taken <= len(routes) * seconds * (1 + 1e-9)
    assert set(routes) <= {INTERPOLATED, *costs.useful}
    assert interpolates or INTERPOLATED not in routes


@pytest.mark.parametrize("price", [-160, -80])
@pytest.mark.parametrize("seconds", [4.5, 5.0, 6.0])
def test_the_time_is_used_if_the_price_begins_an_octave_or_two_away(
    price: int, seconds: float
) -> None:
    routes = run(TimeDial(LADDER, seconds, price), draw_bands(1), interpolates=False)
    assert np.mean([LADDER.seconds[route] for route in routes]) > 0.95 * seconds


def test_the_demanding_tiles_get_the_bits() -> None:
    bands = draw_bands(2)
    routes = np.array(run(TimeDial(LADDER, 5.0, -60), bands, interpolates=False))
    noise = np.array([tile.noise for band in bands for tile in band])
    assert noise[routes == 8].mean() > noise[routes == 4].mean() + 60


def test_loses_least_with_the_time_paid_for() -> None:
    rule, (band, *_) = draw_rule(), draw_bands(3)
    picture = TimedPicture(rule, TimeDial(LADDER, 7.9, -60.0), BANDS * COLUMNS, interpolates=False)
    picture.read(band)
    # A second costs what a bit costs here, so the first tile gets what the price of bits says.
    level = picture_level(tile.error for tile in band)
    assert picture.decide(band)[0] == rule.choose(band[0], level, -60.0)


def test_what_interpolated_tiles_save_is_spent() -> None:
    bands = draw_bands(4)
    dial = TimeDial(LADDER, 5.0, -60)
    with_flat, without = (run(dial, bands, interpolates=choice) for choice in (True, False))
    by_network = [route for route in with_flat if route != INTERPOLATED]
    assert len(by_network) < len(with_flat)
    assert np.mean(by_network) > np.mean(without) + 0.2


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
