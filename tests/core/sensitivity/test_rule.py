from __future__ import annotations

import numpy as np

from gdq_core.sensitivity.heads import Sensitivity, SensitivityHeads
from gdq_core.sensitivity.prices import PriceSteps
from gdq_core.sensitivity.rule import SensitivityRule


def test_noise_and_interpolation_count_relative_to_the_picture() -> None:
    heads = SensitivityHeads(np.zeros((3, 9), np.int64), np.zeros(3, np.int64), 96)
    rule = SensitivityRule(heads, PriceSteps((0, 10, 20)), price=-40, flat=-100)
    tile = Sensitivity(noise=30, error=0, interpolation=-20)
    assert [rule.choose(tile, level, rule.price) for level in (71, 70, 60, 50)] == [4, 5, 6, 8]
    assert [rule.is_flat(tile, level) for level in (79, 80)] == [False, True]
