from __future__ import annotations

import numpy as np
import pytest
import torch

from gdq_models import BIT_WIDTHS, EDSR, integer_range
from gdq_models.training.initial_steps import initialise_steps, least_squares_step


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


def test_sets_every_layer_that_has_no_steps_and_leaves_the_others() -> None:
    network = EDSR(scale=2, channels=8, blocks=2).train()
    first, *others = [layer for _, layer in network.quantized_layers()]
    first.act.set_steps([0.5] * 4, signed=True)
    first.weight_quantizer.set_step(0.25)
    initialise_steps(network, torch.rand(2, 3, 12, 12) * 255)
    assert network.training
    assert first.act.steps.tolist() == [0.5] * 4
    for layer in others:
        assert layer.act.initialised.all()
        assert layer.weight_quantizer.initialised
        steps = layer.act.steps.tolist()
        assert steps == sorted(steps, reverse=True)
    assert [layer.act.is_signed for layer in others] == [False, True, False]


def test_more_bits_leave_a_smaller_error() -> None:
    values = torch.randn(4000, generator=torch.Generator().manual_seed(1))
    errors = []
    for width in BIT_WIDTHS:
        limits = integer_range(width, signed=True)
        errors.append(error(values.double().numpy(), least_squares_step(values, *limits), *limits))
    assert errors == sorted(errors, reverse=True)
