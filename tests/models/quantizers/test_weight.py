from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gdq_models import WeightQuantizer


def random_weight(seed: int = 0) -> torch.Tensor:
    return torch.randn(4, 3, 3, 3, generator=torch.Generator().manual_seed(seed))


@given(step=st.floats(2**-12, 1, width=32), seed=st.integers(0, 1000))
def test_integers_are_what_forward_returns_bit_for_bit(step: float, seed: int) -> None:
    """w^ = step * round(clip(w / step, -128, 127))."""
    quantizer, weight = WeightQuantizer(), random_weight(seed)
    quantizer.set_step(step)
    integers = quantizer.integers(weight)
    assert integers.dtype == torch.int8
    expected = np.round(np.clip(weight.numpy() / np.float32(step), -128, 127))
    np.testing.assert_array_equal(integers.numpy(), expected)
    assert torch.equal(quantizer(weight), integers.float() * quantizer.step)


def test_initialises_from_the_largest_weight() -> None:
    quantizer, weight = WeightQuantizer().train(), random_weight()
    quantizer(weight)
    assert quantizer.step.item() == pytest.approx(
        2 * weight.abs().max().item() / math.sqrt(127), rel=1e-6
    )
    assert quantizer.initialised


def test_step_and_weight_receive_gradients() -> None:
    quantizer, weight = WeightQuantizer(), random_weight().requires_grad_()
    quantizer.set_step(0.02)
    quantizer(weight).square().sum().backward()
    assert weight.grad is not None
    assert quantizer.step.grad is not None
    assert weight.grad.abs().sum() > 0
    assert quantizer.step.grad.abs() > 0


def test_refuses_to_guess_a_step_in_evaluation() -> None:
    with pytest.raises(RuntimeError, match="never initialised"):
        WeightQuantizer().eval()(random_weight())


@pytest.mark.parametrize("step", [0.0, -1.0, math.nan, math.inf])
def test_refuses_a_senseless_step(step: float) -> None:
    with pytest.raises(ValueError, match="positive and finite"):
        WeightQuantizer().set_step(step)
