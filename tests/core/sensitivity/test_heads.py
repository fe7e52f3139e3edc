from __future__ import annotations

import numpy as np
import pytest

from gdq_core.sensitivity.heads import Sensitivity, SensitivityHeads


def test_heads_are_a_sum_shifted_downwards() -> None:
    weights = np.array([[1 << 14, 0, -5, 0, 0, 0, 0, 0, 3]] * 3)
    heads = SensitivityHeads(weights, np.array([0, -(10 << 14) - 1, 1 << 13]), 96)
    statistics = np.array([7, 1, 2, 3, 4, 5, 6, 7, 8])
    sums = [(7 << 14) - 10 + 24 + bias for bias in heads.biases.tolist()]
    assert heads.of_tile(statistics) == Sensitivity(*(total >> 14 for total in sums))
    assert heads.of_tile(statistics).error == -3
    stacked = heads.apply(np.stack([statistics, statistics]))
    assert stacked.shape == (2, 3)


@pytest.mark.parametrize(
    ("weights", "biases", "side", "message"),
    [
        (np.zeros((3, 8), int), np.zeros(3, int), 96, "3x9 weights"),
        (np.zeros((3, 9), int), np.zeros(2, int), 96, "3 biases"),
        (np.zeros((3, 9), int), np.zeros(3, int), 97, "multiple of 4"),
        (np.full((3, 9), 1 << 20), np.zeros(3, int), 96, "32 bits"),
        (np.full((3, 9), -(1 << 62)), np.zeros(3, int), 96, "32 bits"),
        (np.zeros((3, 9), int), np.array([0, 1 << 31, 0]), 96, "32 bits"),
    ],
)
def test_what_makes_no_heads_is_refused(
    weights: np.ndarray, biases: np.ndarray, side: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        SensitivityHeads(weights, biases, side)
