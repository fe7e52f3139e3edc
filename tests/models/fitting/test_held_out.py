from __future__ import annotations

import numpy as np
import pytest

from gdq_core.sensitivity.prices import PriceSteps
from gdq_models.fitting.held_out import (
    judge_scores,
    loss_by_chance,
    loss_by_oracle,
    loss_by_scores,
)

STEPS = PriceSteps((17, 74, 134))


def draw(tells: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    hidden = random.normal(size=300)
    losses = 0.1 * np.exp(1.5 * hidden)[:, None] * np.array([1.0, 0.31, 0.11, 0.0])
    said = tells * hidden + np.sqrt(1 - tells**2) * random.normal(size=300)
    return losses, np.round(1.5 * 32 / np.log(2) * said).astype(np.int64), np.arange(300) // 5


def test_chance_mixes_four_bits_with_the_best_other_width() -> None:
    losses = np.array([[1.0, 0.4, 0.1, 0.0]])
    assert loss_by_chance(losses, 4.0) == pytest.approx(1)
    assert loss_by_chance(losses, 4.5) == pytest.approx(0.7)
    assert loss_by_chance(losses, 6.0) == pytest.approx(0.1)
    assert loss_by_chance(losses, 8.0) == pytest.approx(0)


def test_an_oracle_is_the_score_that_knows_all() -> None:
    losses, scores, _ = draw(tells=1.0)
    for fab in (4.2, 4.6, 5.0, 6.0):
        assert loss_by_scores(losses, scores, STEPS, fab) == pytest.approx(
            loss_by_oracle(losses, fab), rel=0.03, abs=1e-4
        )


@pytest.mark.parametrize(("tells", "lowest", "highest"), [(0.0, 0.85, 1.4), (0.8, 0.3, 0.7)])
def test_what_scores_win_lies_in_its_interval(tells: float, lowest: float, highest: float) -> None:
    losses, scores, photo = draw(tells)
    judged = judge_scores(losses, scores, STEPS, photo, 4.6)
    assert lowest < judged.ratio < highest
    assert judged.ratio == pytest.approx(judged.predictor / judged.random)
    assert judged.interval[0] < judged.ratio < judged.interval[1]
    assert judged.oracle < judged.predictor
    assert judged == judge_scores(losses, scores, STEPS, photo, 4.6)
