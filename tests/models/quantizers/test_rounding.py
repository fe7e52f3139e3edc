from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from gdq_models.quantizers.rounding import round_half_even, scale_gradient

values = st.lists(st.floats(-300, 300, width=32), min_size=1, max_size=20)


@given(values)
def test_forward_is_numpys_round(numbers: list[float]) -> None:
    x = torch.tensor(numbers)
    np.testing.assert_array_equal(round_half_even(x).numpy(), np.round(x.numpy()))


def test_halves_go_to_the_even_neighbour() -> None:
    x = torch.tensor([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])
    assert round_half_even(x).tolist() == [-2, -2, 0, 0, 2, 2]


@given(values)
def test_gradient_is_that_of_the_soft_staircase(numbers: list[float]) -> None:
    """d/dx [tanh(f - 0.5) / tanh(0.5) / 2 + 0.5], f = x - floor(x), by central differences."""
    x = torch.tensor(numbers, dtype=torch.float64).requires_grad_()
    torch.autograd.backward(round_half_even(x).sum())

    def staircase(fraction: np.ndarray) -> np.ndarray:
        height: np.ndarray = np.tanh(fraction - 0.5) / np.tanh(0.5) / 2 + 0.5
        return height

    fraction = x.detach().numpy() - np.floor(x.detach().numpy())
    expected = (staircase(fraction + 1e-6) - staircase(fraction - 1e-6)) / 2e-6
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), expected, atol=1e-8)


def test_scale_gradient_leaves_every_bit_alone() -> None:
    x = torch.randn(1000, generator=torch.Generator().manual_seed(0)).requires_grad_()
    scaled = scale_gradient(x, torch.tensor(0.37))
    assert torch.equal(scaled, x)
    torch.autograd.backward(scaled.sum())
    assert x.grad is not None
    assert torch.equal(x.grad, torch.full_like(x, 0.37))
