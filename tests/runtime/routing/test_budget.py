from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gdq_runtime.bundle.manifest import OperatingPoint
from gdq_runtime.routing.budget import Bound, Budget

POINTS = [
    OperatingPoint(fab=4, loss_db=0.4, bit_widths=[4, 4, 4]),
    OperatingPoint(fab=4.5, loss_db=0.3, bit_widths=[4, 4, 6]),
    OperatingPoint(fab=5, loss_db=0.2, bit_widths=[4, 5, 8]),
    OperatingPoint(fab=6, loss_db=0.1, bit_widths=[5, 6, 8]),
    OperatingPoint(fab=8, loss_db=0.0, bit_widths=[8, 8, 8]),
]


def test_the_dial_stays_where_it_is_while_there_are_bits() -> None:
    budget = Budget(POINTS[:3], Bound.of_bits(5))
    assert budget.spend([0, 0, 0, 2]) == [4, 4, 4, 8]
    assert budget.spend([0, 1]) == [4, 5]


def test_demanding_tiles_turn_it_back_and_easy_ones_forward() -> None:
    budget = Budget(POINTS[:3], Bound.of_bits(5))
    # 5, 5 and 8 bits would be 18 of 15; the next position gives 14.
    assert budget.spend([1, 1, 2]) == [4, 4, 6]
    assert budget.spend([2]) == [6]
    assert budget.spend([0, 0, 0]) == [4, 4, 4]
    # 32 of 8 * 5 bits are spent: now there are enough.
    assert budget.spend([2]) == [8]


@given(
    bands=st.lists(st.lists(st.integers(0, 2), max_size=6), max_size=8),
    best=st.integers(0, 4),
    fab=st.floats(4, 8),
)
def test_the_mean_never_exceeds_the_budget(bands: list[list[int]], best: int, fab: float) -> None:
    budget = Budget(POINTS[: best + 1], Bound.of_bits(fab))
    spent: list[int] = []
    for bins in bands:
        widths = budget.spend(bins)
        assert len(widths) == len(bins)
        liked = [POINTS[best].bit_widths[number] for number in bins]
        assert all(width <= wish for width, wish in zip(widths, liked, strict=True))
        spent += widths
        assert sum(spent) <= fab * len(spent) + 1e-9


@given(
    bands=st.lists(st.lists(st.none() | st.integers(0, 2), max_size=6), max_size=8),
    best=st.integers(0, 4),
    largest=st.floats(1.125, 8),
)
def test_nor_does_the_mean_time(bands: list[list[int | None]], best: int, largest: float) -> None:
    seconds = {0: 0.125, 4: 1.125, 5: 4.0, 6: 5.0, 8: 8.0}
    budget = Budget(POINTS[: best + 1], Bound(largest, seconds))
    spent: list[float] = []
    for bins in bands:
        routes = budget.spend(bins)
        assert [route == 0 for route in routes] == [one is None for one in bins]
        spent += [seconds[route] for route in routes]
        assert sum(spent) <= largest * len(spent) + 1e-9


def test_only_tiles_with_a_price_count() -> None:
    # Of two tiles of 4.5 bits one may have 5, whatever is interpolated beside them.
    budget = Budget(POINTS[:2], Bound.of_bits(4.5))
    assert budget.spend([None, None, None, 2]) == [0, 0, 0, 4]
    budget = Budget(POINTS[:2], Bound(4.5, {0: 0.0, 4: 4.0, 6: 6.0}))
    assert budget.spend([None, None, None, 2]) == [0, 0, 0, 6]
