from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdq_core.errors import RequestError
from gdq_runtime.bundle.manifest import (
    FlatTiles,
    OperatingPoint,
    TradeOff,
    TradeOffCurves,
    TradeOffPoint,
)
from gdq_runtime.engines.costs import Costs
from gdq_runtime.routing.dial import Crew, list_positions, position_seconds, turn_dial
from gdq_runtime.routing.request import Request

POINTS = [
    OperatingPoint(fab=4, loss_db=0.4, bit_widths=[4, 4]),
    OperatingPoint(fab=5, loss_db=0.2, bit_widths=[4, 6]),
    OperatingPoint(fab=6, loss_db=0.1, bit_widths=[4, 8]),
    OperatingPoint(fab=7, loss_db=0.05, bit_widths=[6, 8]),
    OperatingPoint(fab=8, loss_db=0.0, bit_widths=[8, 8]),
]
CURVE: list[TradeOffPoint] = list(POINTS)
TRADE_OFF = TradeOff(
    tiles=2,
    signal="entropy",
    bin_edges=[0.5],
    points=POINTS,
    predictor=POINTS[1],
    fixed=[POINTS[0]],
    curves=TradeOffCurves(gate_margin=CURVE, entropy=CURVE, random=CURVE, oracle=CURVE),
)
FLAT = FlatTiles(largest_gradient=1, share=0.25, loss_db=0.01)


def costs(*seconds: float) -> Costs:
    return Costs(dict(zip((0, 4, 5, 6, 8), (0.1, *seconds), strict=True)), 0.1)


LADDER = costs(4, 5, 6, 8)
SIX_AS_SLOW_AS_EIGHT = costs(5.3, 5.9, 6.3, 6.0)
times = st.lists(st.floats(0.5, 10), min_size=4, max_size=4)


def test_without_costs_the_positions_are_the_bundles() -> None:
    assert list_positions(TRADE_OFF, None) == POINTS


def test_where_six_bits_are_as_slow_as_eight_they_become_eight() -> None:
    positions = list_positions(TRADE_OFF, SIX_AS_SLOW_AS_EIGHT)
    assert [point.bit_widths for point in positions] == [[4, 4], [4, 8], [8, 8]]
    # Of two positions that became the same, the one that was found to lose less counts.
    assert [point.loss_db for point in positions] == [0.4, 0.1, 0.0]
    assert [point.fab for point in positions] == [4, 6, 8]


def test_one_width_for_all_saves_the_predictor() -> None:
    points = POINTS[:-1]  # the export leaves out what loses no less than a mixture on its tiles
    fixed: list[TradeOffPoint] = [
        TradeOffPoint(fab=8, loss_db=0.05),
        TradeOffPoint(fab=5, loss_db=1),
    ]
    trade_off = TRADE_OFF.model_copy(update={"points": points, "fixed": fixed})
    nearly_as_slow = costs(4, 5, 7.9, 8)
    positions = list_positions(trade_off, nearly_as_slow)
    assert [point.bit_widths for point in positions] == [[4, 4], [4, 8], [8, 8]]
    assert list_positions(trade_off, None) == points


@given(times)
def test_no_position_is_slower_and_worse_than_another(seconds: list[float]) -> None:
    table = costs(*seconds)
    positions = list_positions(TRADE_OFF, table)
    taken = [position_seconds(point, table) for point in positions]
    assert taken == sorted(taken)
    losses = [point.loss_db for point in positions]
    assert losses == sorted(set(losses), reverse=True)
    assert losses[-1] == 0
    assert {width for point in positions for width in point.bit_widths} <= set(table.useful)


@given(times, st.floats(1, 4), st.sampled_from([None, FLAT]))
def test_a_speed_is_kept_or_refused(
    seconds: list[float], speed: float, flat: FlatTiles | None
) -> None:
    table = costs(*seconds)
    try:
        dial = turn_dial(TRADE_OFF, Request(speed=speed), flat, table, None)
    except RequestError:
        assert table.largest_seconds / min(seconds) < speed * 1.04
        return
    assert dial is not None
    slowest = max(table.seconds[width] for width in dial.point.bit_widths)
    if dial.bound is None:
        assert slowest <= table.largest_seconds / speed
    else:
        assert dial.bound.largest == table.largest_seconds / speed
        first = max(dial.bound.prices[width] for width in dial.positions[0].bit_widths)
        assert first <= dial.bound.largest or len(dial.positions) == 1


def test_the_most_bits_in_the_time() -> None:
    def widths(speed: float, flat: FlatTiles | None = None) -> list[int]:
        dial = turn_dial(TRADE_OFF, Request(speed=speed), flat, LADDER, None)
        assert dial is not None
        return list(dial.point.bit_widths)

    assert [widths(speed) for speed in (1, 1.05, 1.2, 1.5, 2)] == [
        [8, 8], [6, 8], [4, 8], [4, 6], [4, 4],
    ]  # fmt: skip
    # A quarter of the tiles, which is interpolated, leaves its time to the others.
    assert widths(1.5, FLAT) == [4, 8]


def test_seconds_are_those_of_the_picture_and_its_crew() -> None:
    def widths(seconds: float, crew: Crew) -> list[int]:
        dial = turn_dial(TRADE_OFF, Request(max_seconds=seconds), None, LADDER, crew)
        assert dial is not None
        return list(dial.point.bit_widths)

    # A tenth of the time is for what surrounds the tiles: 60 of 67 s, 6 s a tile.
    assert widths(67, Crew(10, 1)) == widths(33.5, Crew(10, 2)) == widths(134, Crew(20, 1))
    assert widths(67, Crew(10, 1)) == [4, 6]
    assert Crew(10, 2).elapsed(6) == pytest.approx(33.33, abs=0.01)


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (
            Request(speed=3),
            "speed 3x is out of reach: on this device the fewest bits are 2.00 times as fast as "
            "the most",
        ),
        (
            Request(max_seconds=10),
            "max-seconds 10 is out of reach: with the fewest bits, 9 tiles on 2 threads take 20 s "
            "on this device",
        ),
        (Request(max_loss=0.001), "max-loss 0.001 is below the smallest one, 0.01"),
        (Request(fab=3), "fab 3 is below the smallest one, 4"),
    ],
    ids=["speed", "seconds", "loss", "bits"],
)
def test_what_is_out_of_reach_is_refused(request_: Request, sentence: str) -> None:
    with pytest.raises(RequestError, match=re.escape(sentence)):
        turn_dial(TRADE_OFF, request_, FLAT, LADDER, Crew(9, 2))


def test_a_dial_in_time_needs_costs_and_a_dial() -> None:
    with pytest.raises(RequestError, match="need the costs of tiles"):
        turn_dial(TRADE_OFF, Request(speed=2), None, None, None)
    with pytest.raises(RequestError, match="needs to know the picture"):
        turn_dial(TRADE_OFF, Request(max_seconds=2), None, LADDER, None)
    with pytest.raises(RequestError, match="no bit budget dial"):
        turn_dial(None, Request(speed=2), None, LADDER, None)


def test_a_loss_takes_the_least_time() -> None:
    dial = turn_dial(TRADE_OFF, Request(max_loss=0.2), None, SIX_AS_SLOW_AS_EIGHT, None)
    assert dial is not None
    assert (dial.point.bit_widths, dial.point.loss_db) == ([4, 8], 0.1)


@given(times, st.floats(4, 8))
def test_bits_that_were_asked_for_are_kept(seconds: list[float], fab: float) -> None:
    dial = turn_dial(TRADE_OFF, Request(fab=fab), None, costs(*seconds), None)
    assert dial is not None
    assert all(sum(point.bit_widths) / 2 <= fab for point in dial.positions)
