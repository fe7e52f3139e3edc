from __future__ import annotations

import numpy as np
import pytest
import torch

from gdq_core.bit_widths import BIT_WIDTHS
from gdq_models import integer_range
from gdq_models.fitting.initial_steps import least_squares_step


def error(values: np.ndarray, step: float, low: int, high: int) -> float:
    return float(((values - step * np.round(np.clip(values / step, low, high))) ** 2).sum())


@pytest.mark.parametrize("limits", [(-8, 7), (0, 15), (-128, 127), (0, 255)])
def test_no_other_step_has_a_clearly_smaller_error(limits: tuple[int, int]) -> None:
    values = torch.randn(4000, generator=torch.Generator().manual_seed(0))
    values = values if limits[0] < 0 else values.clamp_min(0)
    found = least_squares_step(values, *limits)
    array = values.double().numpy()
    best = min(error(array, step, *limits) for step in np.geomspace(found / 10, found * 10, 2000))
    assert error(array, found, *limits) <= 1.05 * best


def test_values_that_are_all_zero_get_a_positive_step() -> None:
    assert least_squares_step(torch.zeros(5), 0, 15) > 0


def test_more_bits_leave_a_smaller_error() -> None:
    values = torch.randn(4000, generator=torch.Generator().manual_seed(1))
    errors = []
    for width in BIT_WIDTHS:
        limits = integer_range(width, signed=True)
        errors.append(error(values.double().numpy(), least_squares_step(values, *limits), *limits))
    assert errors == sorted(errors, reverse=True)
