from __future__ import annotations

from gdq_core.bit_widths import (
    BIT_WIDTHS,
    FLOAT,
    INTERPOLATED,
    SMALL,
    name_of_route,
    name_of_width,
)


def test_the_stand_ins_are_no_widths() -> None:
    assert BIT_WIDTHS == (4, 5, 6, 8)
    assert not {FLOAT, INTERPOLATED} & set(BIT_WIDTHS)


def test_each_has_a_name() -> None:
    named = [name_of_width(width) for width in (INTERPOLATED, *BIT_WIDTHS, FLOAT, SMALL + 6)]
    assert named == [
        "interpolated", "4 bits", "5 bits", "6 bits", "8 bits", "float", "small 6 bits"
    ]  # fmt: skip


def test_each_has_a_short_name() -> None:
    assert [name_of_route(route) for route in (0, 8, SMALL + 4)] == ["0", "8", "small 4"]


def test_routes_of_a_small_network_are_their_own_and_fit_a_bit_map() -> None:
    routes = {SMALL + width for width in BIT_WIDTHS}
    assert not routes & {FLOAT, INTERPOLATED, *BIT_WIDTHS}
    assert max(routes) < 256
