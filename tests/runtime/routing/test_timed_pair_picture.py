from __future__ import annotations

import numpy as np
import pytest

from gdq_core.bit_widths import INTERPOLATED
from gdq_core.sensitivity.heads import Sensitivity
from gdq_core.sensitivity.pair import PairRule, PairSensitivity
from gdq_runtime.engines.costs import Costs
from gdq_runtime.routing.sensed_picture import BANDS_AHEAD
from gdq_runtime.routing.timed_pair_picture import TimedPairPicture
from gdq_runtime.routing.timed_picture import TimeDial
from sensitivities import draw_rule

RULE = PairRule(draw_rule(seed=0), draw_rule(seed=1))
COSTS = Costs({0: 0.1, 68: 2.0, 69: 2.2, 70: 2.4, 72: 3.0, 4: 8.0, 5: 8.5, 6: 9.0, 8: 10.0}, 0.5)
COLUMNS = 10


def draw_bands(seed: int, bands: int) -> list[list[PairSensitivity]]:
    low, high = (-150, -20, -260), (60, 100, 50)
    drawn = np.random.default_rng(seed).integers(low, high, (bands, COLUMNS, 2, 3))
    # The small network is worse everywhere, so that there is always something to buy.
    drawn[..., 1, 1] = drawn[..., 0, 1] + 8 + abs(drawn[..., 1, 1]) // 2
    return [
        [PairSensitivity(*(Sensitivity(*one) for one in tile)) for tile in band]
        for band in drawn.tolist()
    ]


def run(
    seconds: float, bands: list[list[PairSensitivity]], *, interpolates: bool = True
) -> list[int]:
    """Routes a picture as the runtime does: some bands are read ahead."""
    dial = TimeDial(COSTS, seconds, price=0)
    picture = TimedPairPicture(RULE, dial, len(bands) * COLUMNS, interpolates=interpolates)
    routes: list[int] = []
    waiting: list[list[PairSensitivity]] = []
    for band in bands:
        picture.read(band)
        waiting.append(band)
        if len(waiting) > BANDS_AHEAD:
            routes += picture.decide(waiting.pop(0))
    for band in waiting:
        routes += picture.decide(band)
    return routes


def taken(routes: list[int]) -> float:
    return sum(COSTS.seconds[route] for route in routes) / len(routes)


@pytest.mark.parametrize("interpolates", [True, False])
@pytest.mark.parametrize("bands", [1, 7])
@pytest.mark.parametrize("seconds", [2.0, 2.1, 3.7, 12.0])
def test_every_picture_keeps_its_time(seconds: float, bands: int, interpolates: bool) -> None:
    routes = run(seconds, draw_bands(bands, bands), interpolates=interpolates)
    assert taken(routes) <= seconds * (1 + 1e-9)
    assert set(routes) <= {INTERPOLATED, *COSTS.routes}
    assert interpolates or INTERPOLATED not in routes


@pytest.mark.parametrize("bands", [2, 5, 30])
@pytest.mark.parametrize("seconds", [3.0, 5.0, 8.0])
def test_the_time_of_every_picture_is_used(seconds: float, bands: int) -> None:
    assert taken(run(seconds, draw_bands(1, bands))) > 0.85 * seconds


def test_no_tile_is_interpolated_where_there_is_time_for_all() -> None:
    bands = draw_bands(2, 6)
    assert INTERPOLATED in run(3.0, bands)
    # The large network's largest width for all, but where a cheaper route loses nothing.
    assert INTERPOLATED not in run(10.0, bands)


def test_the_tiles_that_lose_most_get_the_large_network() -> None:
    (band,) = draw_bands(3, 1)
    routes = np.array(run(5.0, [band], interpolates=False))
    level = 40  # whatever the picture's is, it is the same for all tiles
    saved = np.array([RULE.loss(tile, level, 68) - RULE.loss(tile, level, 8) for tile in band])
    assert saved[routes <= 8].min() > saved[routes > 8].max() / 4
    assert saved[routes <= 8].mean() > 2 * saved[routes > 8].mean()
