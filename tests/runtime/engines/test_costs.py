from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdq_core.bit_widths import INTERPOLATED
from gdq_core.sensitivity.prices import PriceSteps
from gdq_runtime.engines.costs import AS_FAST, Costs


def costs(*seconds: float) -> Costs:
    return Costs({INTERPOLATED: 0.001, **dict(zip((4, 5, 6, 8), seconds, strict=True))}, 0.5)


def test_a_width_that_a_wider_one_is_as_fast_as_is_useless() -> None:
    mobile = costs(5.3, 5.9, 6.3, 6.0)
    assert mobile.useful == (4, 8)
    assert [mobile.exchange(width) for width in (4, 5, 6, 8)] == [4, 8, 8, 8]


def test_bits_cost_what_the_dearest_do() -> None:
    mobile = costs(2.7, 2.98, 3.0, 4.1)
    assert mobile.useful == (4, 6, 8)
    assert mobile.seconds_per_bit == pytest.approx(0.55)
    assert mobile.in_bits == pytest.approx({4: 2.7 / 0.55, 6: 3.0 / 0.55, 8: 4.1 / 0.55})
    one_speed = costs(4.0, 4.0, 4.0, 4.0)
    assert one_speed.seconds_per_bit == 0
    assert list(one_speed.in_bits) == [8]


def test_each_of_two_networks_has_its_useful_widths() -> None:
    large = {4: 8.0, 5: 8.5, 6: 12.0, 8: 10.0}
    both = Costs({INTERPOLATED: 0.001, 68: 2.0, 69: 3.0, 70: 2.5, 72: 2.6, **large}, 0.5)
    assert both.useful == (4, 5, 8)
    assert both.routes == (68, 70, 72, 4, 5, 8)
    assert both.largest_seconds == 10
    assert costs(1, 2, 3, 4).routes == (4, 5, 6, 8)


@given(st.lists(st.floats(1, 9), min_size=4, max_size=4), st.integers(-300, 300))
def test_paying_for_time_takes_no_bits_away(seconds: list[float], score: int) -> None:
    steps = PriceSteps((17, 72, 140))
    in_time = steps.with_costs(costs(*seconds).in_bits)
    assert in_time.choose(score, 0) >= steps.choose(score, 0)


@pytest.mark.parametrize(
    ("seconds", "useful"),
    [
        ((1, 2, 3, 4), (4, 5, 6, 8)),
        ((4, 4, 4, 4), (8,)),
        ((5, 4, 3, 2), (8,)),
        ((1, 9, 3, 4), (4, 6, 8)),
        ((3, 3, 3, 4), (6, 8)),
        ((96.9, 100, 100, 100), (4, 8)),
        ((97, 100, 100, 100), (8,)),
    ],
)
def test_a_narrower_width_must_save_three_percent(
    seconds: tuple[float, ...], useful: tuple[int, ...]
) -> None:
    assert costs(*seconds).useful == useful


@given(st.lists(st.floats(0.001, 10), min_size=4, max_size=4))
def test_what_is_run_instead_is_no_worse_and_no_slower(seconds: list[float]) -> None:
    table = costs(*seconds)
    for width in (4, 5, 6, 8):
        instead = table.exchange(width)
        assert instead >= width
        assert table.seconds[instead] <= table.seconds[width] / (1 - AS_FAST)
        assert table.exchange(instead) == instead
    assert table.largest_seconds == seconds[-1]


def test_a_width_that_the_bundle_lacks_is_rounded_up() -> None:
    table = Costs({INTERPOLATED: 0.001, 4: 1.0, 6: 2.0}, 0.1)
    assert [table.exchange(width) for width in (4, 5, 6, 8)] == [4, 6, 6, 6]


def test_seconds_of_a_picture() -> None:
    bit_map = np.array([[4, 4, 0], [8, 0, 6]], dtype=np.uint8)
    table = costs(1, 2, 3, 4)
    alone = (1 + 1 + 4 + 3 + 2 * 0.001) / 6
    assert table.tile_seconds(bit_map, is_predicted=False) == pytest.approx(alone)
    # Interpolated tiles are recognised without the predictor.
    predicted = alone + 4 * 0.5 / 6
    assert table.tile_seconds(bit_map, is_predicted=True) == pytest.approx(predicted)
