from __future__ import annotations

from itertools import pairwise, product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gdq_exporter.trade_off.frontier import trace_frontier

WIDTHS = (4, 5, 6, 8)


@st.composite
def groups(draw: st.DrawFn) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    count = draw(st.integers(1, 4))
    sizes = np.array(draw(st.lists(st.integers(1, 5), min_size=count, max_size=count)))
    losses = st.lists(st.integers(1, 100), min_size=4, max_size=4)
    table = np.array(draw(st.lists(losses, min_size=count, max_size=count)), dtype=float)
    return table, sizes


@given(groups())
def test_no_choice_beats_the_frontier(case: tuple[NDArray[np.float64], NDArray[np.intp]]) -> None:
    losses, counts = case
    frontier = trace_frontier(WIDTHS, losses, counts)
    for choice in product(range(4), repeat=len(losses)):
        bits = sum(WIDTHS[i] * n for i, n in zip(choice, counts, strict=True)) / counts.sum()
        loss = sum(losses[group, i] for group, i in enumerate(choice)) / counts.sum()
        assert loss >= frontier.losses_at(np.array([bits]))[0] - 1e-9


@given(groups())
def test_bits_ascend_errors_descend_and_the_curve_is_convex(
    case: tuple[NDArray[np.float64], NDArray[np.intp]],
) -> None:
    frontier = trace_frontier(WIDTHS, *case)
    assert frontier.bits[0] == 4
    assert (np.diff(frontier.bits) > 0).all()
    assert (np.diff(frontier.losses) < 0).all()
    slopes = np.diff(frontier.losses) / np.diff(frontier.bits)
    assert all(later >= earlier - 1e-9 for earlier, later in pairwise(slopes))


@given(groups())
def test_points_are_what_their_choices_cost(
    case: tuple[NDArray[np.float64], NDArray[np.intp]],
) -> None:
    losses, counts = case
    frontier = trace_frontier(WIDTHS, losses, counts)
    for bits, loss, choice in zip(frontier.bits, frontier.losses, frontier.choices, strict=True):
        spent = sum(WIDTHS[i] * n for i, n in zip(choice, counts, strict=True))
        np.testing.assert_allclose(bits, spent / counts.sum())
        np.testing.assert_allclose(loss, losses[range(len(losses)), choice].sum() / counts.sum())


def test_bits_that_save_nothing_are_not_bought() -> None:
    frontier = trace_frontier(WIDTHS, np.array([[1.0, 1.0, 2.0, 1.0]]), np.array([3]))
    np.testing.assert_array_equal(frontier.bits, [4])
