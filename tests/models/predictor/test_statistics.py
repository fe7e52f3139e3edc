from __future__ import annotations

import numpy as np
import pytest
import torch

from factories import sample_tiles
from gdq_core.sensitivity.heads import SensitivityHeads
from gdq_core.sensitivity.prices import PriceSteps
from gdq_core.sensitivity.rule import SensitivityRule
from gdq_core.sensitivity.statistics import tile_statistics
from gdq_models.predictor.statistics import HeldOutLosses, StatisticsPredictor, statistics_of


def some_rule() -> SensitivityRule:
    random = np.random.default_rng(0)
    weights = random.integers(-500, 500, (3, 9))
    heads = SensitivityHeads(weights, random.integers(-(1 << 20), 1 << 20, 3), 32)
    return SensitivityRule(heads, PriceSteps((17, 74, 134)), price=-60, flat=-150)


def test_a_rule_survives_the_state_dict() -> None:
    first, second, rule = StatisticsPredictor(), StatisticsPredictor(), some_rule()
    first.install(rule)
    second.load_state_dict(first.state_dict())
    found = second.rule()
    np.testing.assert_array_equal(found.heads.weights, rule.heads.weights)
    np.testing.assert_array_equal(found.heads.biases, rule.heads.biases)
    assert found.heads.side == 32
    assert (found.steps, found.price, found.flat) == (rule.steps, rule.price, rule.flat)


def test_what_heads_lost_goes_with_them() -> None:
    first, second = StatisticsPredictor(), StatisticsPredictor()
    assert first.losses() is None
    first.install(some_rule(), HeldOutLosses(4.6, 0.073, 0.170))
    second.load_state_dict(first.state_dict())
    assert second.losses() == (4.6, 0.073, 0.170)
    second.install(some_rule())  # other heads, of which nothing is known
    assert second.losses() is None


def test_a_new_predictor_cannot_decide() -> None:
    with pytest.raises(ValueError, match="never fitted"):
        StatisticsPredictor().check()


def test_images_have_the_statistics_of_their_pixels() -> None:
    images = sample_tiles(3)
    found = statistics_of(images, 32)
    for image, row in zip(images, found, strict=True):
        pixels = image.permute(1, 2, 0).to(torch.uint8).numpy()
        np.testing.assert_array_equal(row, tile_statistics(pixels, 32))
