from __future__ import annotations

import numpy as np
import pytest

from gdq_runtime.routing.price_control import REACH, PriceControl
from sensitivities import draw_rule


def spend(control: PriceControl, scores: list[int]) -> list[int]:
    steps, widths = draw_rule().steps, []
    for score in scores:
        widths.append(steps.choose(score, control.price))
        control.note_tile(score, widths[-1])
    return [int(width) for width in widths]


def draw_scores(seed: int, count: int = 4000) -> list[int]:
    drawn = np.random.default_rng(seed).normal(-100, 60, count)
    return [round(score) for score in drawn.tolist()]


@pytest.mark.parametrize("target", [4.3, 4.6, 5.5, 7.0])
@pytest.mark.parametrize("start", [-200.0, -100.0])
def test_fab_meets_its_target_in_the_long_run(target: float, start: float) -> None:
    widths = spend(PriceControl(draw_rule(), start, fab=target), draw_scores(1))
    assert np.mean(widths[1000:]) == pytest.approx(target, abs=0.05)


def test_loss_meets_its_target_in_the_long_run() -> None:
    rule, scores = draw_rule(), draw_scores(2, 8000)
    control = PriceControl(rule, -100.0, max_loss=0.05)
    widths = spend(control, scores)
    losses = [rule.steps.loss(s, w) for s, w in zip(scores, widths, strict=True)]
    assert np.mean(losses[3000:]) == pytest.approx(0.05, rel=0.25)


def test_a_price_that_follows_nothing_stays() -> None:
    control = PriceControl(draw_rule(), -40.0)
    spend(control, draw_scores(3, 50))
    control.note_flat(100)
    assert control.price == -40.0


def test_one_bit_too_many_raises_the_price_by_two_percent() -> None:
    control = PriceControl(draw_rule(), 0.0, fab=4.0)
    control.note_tile(0, 5)
    assert 2 ** (control.price / 32) == pytest.approx(np.exp(0.02))


def test_the_price_does_not_run_away() -> None:
    """A dark film has no tile that needs bits; the next bright one must not get them all."""
    control = PriceControl(draw_rule(), 0.0, fab=8.0)
    spend(control, [-2000] * 5000)
    assert control.price == -REACH
