from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdq_core.bit_widths import BIT_WIDTHS
from gdq_core.sensitivity.prices import DECIBELS, NEVER, PriceSteps, decibels_per_bit


def costs(score: int, price: float, shares: list[float]) -> list[float]:
    loss = DECIBELS * 2 ** (score / 32)
    bit = decibels_per_bit(price)
    return [loss * share + bit * width for share, width in zip(shares, BIT_WIDTHS, strict=True)]


@given(
    score=st.integers(-300, 300),
    price=st.floats(-300, 300),
    shares=st.tuples(st.floats(-0.2, 0.9), st.floats(-0.2, 0.9)),
)
def test_what_is_bought_costs_least(score: int, price: float, shares: tuple[float, float]) -> None:
    """Loss plus price times bits, up to the rounding of the steps to 1/32 octaves."""
    losses = [1.0, *shares, 0.0]
    width = PriceSteps.from_losses(losses).choose(score, price)
    around = [costs(score, price + slack, losses) for slack in (-0.51, 0, 0.51)]
    column = BIT_WIDTHS.index(width)
    assert any(cost[column] <= min(cost) + 1e-9 for cost in around)


def test_steps_of_usual_losses() -> None:
    assert PriceSteps.from_losses([1, 0.31, 0.11, 0]).above == (17, 74, 134)
    assert PriceSteps.from_losses([0.1, 0.031, 0.011, 0]).above == (17, 74, 134)


def test_a_width_that_saves_nothing_is_never_bought() -> None:
    steps = PriceSteps.from_losses([1, 0.3, -0.1, 0])
    assert steps.above[-1] == NEVER
    assert steps.choose(NEVER - 1, 0) == 6
    assert PriceSteps.from_losses([0, 0, 0, 0]).choose(500, 0) == 4


@given(
    score=st.integers(-300, 300),
    price=st.floats(-300, 300),
    seconds=st.tuples(*[st.floats(0.05, 5)] * 3),
    missing=st.sets(st.sampled_from([4, 5, 6])),
)
def test_what_is_bought_with_other_costs_costs_least(
    score: int, price: float, seconds: tuple[float, float, float], missing: set[int]
) -> None:
    losses = [1.0, 0.31, 0.11, 0.0]
    costs: dict[int, float] = dict(zip(BIT_WIDTHS, np.cumsum([1.0, *seconds]), strict=True))
    kept = {width: cost for width, cost in costs.items() if width not in missing}
    steps = PriceSteps.from_losses(losses)
    width = steps.with_costs(kept).choose(score, price)

    def paid(width: int, slack: float) -> float:
        return steps.loss(score, width) + decibels_per_bit(price + slack) * costs[width]

    assert width in kept
    assert any(
        paid(width, slack) <= min(paid(other, slack) for other in kept) + 1e-9
        for slack in (-0.51, 0, 0.51)
    )


def test_costs_that_rise_like_bits_change_nothing() -> None:
    steps = PriceSteps.from_losses([1, 0.31, 0.11, 0])
    assert steps.with_costs({4: 1.0, 5: 2.0, 6: 3.0, 8: 5.0}) == steps


def test_all_tiles_at_once_are_as_one_by_one() -> None:
    steps, scores = PriceSteps((17, 74, 134)), np.arange(-50, 250)
    expected = [steps.choose(int(score), 12.5) for score in scores]
    assert steps.choose_all(scores, 12.5).tolist() == expected
    assert sorted(set(expected)) == list(BIT_WIDTHS)


@pytest.mark.parametrize("above", [(1, 0, 2), (0, 0, NEVER + 1), (-NEVER - 1, 0, 0), (1, 2)])
def test_senseless_steps_are_refused(above: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="price steps"):
        PriceSteps(above)
