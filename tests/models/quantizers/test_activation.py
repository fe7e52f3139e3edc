from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gdq_core.bit_widths import BIT_WIDTHS
from gdq_models import ActivationQuantizer, integer_range
from gdq_models.predictor.predictor import route_for

STEPS = (0.31, 0.17, 0.083, 0.021)


def ready(*, signed: bool, steps: tuple[float, ...] = STEPS) -> ActivationQuantizer:
    quantizer = ActivationQuantizer().eval()
    quantizer.set_steps(steps, signed=signed)
    return quantizer


def reference(x: np.ndarray, step: float, bit_width: int, signed: bool) -> np.ndarray:
    """step * round(clip(x / step, Qn, Qp)) in float32, halves to even."""
    low = -(2 ** (bit_width - 1)) if signed else 0
    high = 2 ** (bit_width - 1) - 1 if signed else 2**bit_width - 1
    unit = np.float32(step)
    return np.round(np.clip(x / unit, np.float32(low), np.float32(high))) * unit


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(3)) * 3


@pytest.mark.parametrize(
    ("bit_width", "signed", "expected"),
    [(4, True, (-8, 7)), (8, True, (-128, 127)), (4, False, (0, 15)), (5, False, (0, 31))],
)
def test_integer_range(bit_width: int, signed: bool, expected: tuple[int, int]) -> None:
    assert integer_range(bit_width, signed=signed) == expected


@given(
    steps=st.tuples(*[st.floats(2**-10, 2, width=32)] * 4),
    signed=st.booleans(),
    widths=st.lists(st.sampled_from(BIT_WIDTHS), min_size=1, max_size=5),
    seed=st.integers(0, 1000),
)
def test_every_sample_gets_its_own_width(
    steps: tuple[float, ...], signed: bool, widths: list[int], seed: int
) -> None:
    x = torch.randn(len(widths), 2, 3, 3, generator=torch.Generator().manual_seed(seed)) * 4
    with torch.no_grad():
        output = ready(signed=signed, steps=steps)(x, route_for(torch.tensor(widths)))
    for sample, width, given_x in zip(output.numpy(), widths, x.numpy(), strict=True):
        step = steps[BIT_WIDTHS.index(width)]
        np.testing.assert_array_equal(sample, reference(given_x, step, width, signed))


@pytest.mark.parametrize("signed", [False, True])
def test_a_route_with_gradient_mixes_the_four_versions(signed: bool) -> None:
    """x^ = sum_n w_n Q_n(x) and dL/dw_n = <dL/dx^, Q_n(x)>."""
    x = noise(3, 2, 4, 4)
    route = torch.rand(3, 4, generator=torch.Generator().manual_seed(1)).requires_grad_()
    output = ready(signed=signed)(x, route)
    versions = np.stack(
        [reference(x.numpy(), step, b, signed) for step, b in zip(STEPS, BIT_WIDTHS, strict=True)]
    )
    mixed = np.einsum("nbchw,bn->bchw", versions, route.detach().numpy())
    np.testing.assert_allclose(output.detach().numpy(), mixed, rtol=1e-5, atol=1e-6)
    output.sum().backward()
    assert route.grad is not None
    np.testing.assert_allclose(route.grad.numpy(), versions.sum((2, 3, 4)).T, rtol=1e-4, atol=1e-4)


def test_both_paths_agree_bit_for_bit_on_a_hard_route() -> None:
    quantizer, x = ready(signed=True), noise(4, 2, 5, 5)
    route = route_for(torch.tensor(BIT_WIDTHS))
    assert torch.equal(quantizer(x, route), quantizer(x, route.clone().requires_grad_()))


def test_no_route_is_float() -> None:
    x = noise(1, 1, 2, 2)
    assert ActivationQuantizer()(x, None) is x


def test_step_gradient_is_that_of_lsq() -> None:
    """LSQ eq. 3 with the soft rounding slope, times 1 / sqrt(numel * Qp)."""
    quantizer, x = ready(signed=True), noise(2, 1, 6, 6)
    quantizer(x, route_for(torch.tensor([4, 4]))).sum().backward()
    scaled = x.numpy().astype(np.float64) / STEPS[0]
    fraction = scaled - np.floor(scaled)
    slope = (1 - np.tanh(fraction - 0.5) ** 2) / (2 * np.tanh(0.5))
    inside = (scaled >= -8) & (scaled <= 7)
    limits = np.clip(scaled, -8, 7)
    expected = np.where(inside, np.round(scaled) - scaled * slope, limits).sum()
    gradient = quantizer.steps.grad
    assert gradient is not None
    assert gradient[0].item() == pytest.approx(expected / math.sqrt(x.numel() * 7), rel=1e-4)
    assert gradient[1:].tolist() == [0, 0, 0]


def test_initialises_from_the_first_training_batch() -> None:
    """Step 2 * mean(|x|) / sqrt(Qp); signed if the minimum is below -1e-5 (released)."""
    x, quantizer = noise(4, 2, 4, 4), ActivationQuantizer().train()
    quantizer(x, route_for(torch.tensor([8] * 4)))
    mean = np.abs(x.numpy()).mean()
    expected = [2 * mean / math.sqrt(top) for top in (7, 15, 31, 127)]
    np.testing.assert_allclose(quantizer.steps.detach().numpy(), expected, rtol=1e-6)
    assert quantizer.is_signed
    assert quantizer.initialised.all()
    learned = quantizer.steps.detach().clone()
    quantizer(x * 9, route_for(torch.tensor([8] * 4)))
    assert torch.equal(quantizer.steps, learned)


def test_is_unsigned_after_a_relu_and_survives_zeros() -> None:
    quantizer = ActivationQuantizer()
    quantizer.initialise(torch.zeros(1, 1, 2, 2))
    assert not quantizer.is_signed
    assert (quantizer.steps > 0).all()


def test_refuses_to_guess_steps_in_evaluation() -> None:
    with pytest.raises(RuntimeError, match="never initialised"):
        ActivationQuantizer().eval()(torch.ones(1, 1, 1, 1), route_for(torch.tensor([4])))


@pytest.mark.parametrize("steps", [(1, 1, 1), (1, 1, 1, 0), (1, 1, 1, math.nan), (1, 1, 1, -1)])
def test_refuses_senseless_steps(steps: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="steps"):
        ActivationQuantizer().set_steps(steps, signed=True)


def test_loading_a_state_restores_the_sign() -> None:
    fresh = ActivationQuantizer().eval()
    fresh.load_state_dict(ready(signed=True).state_dict())
    assert fresh.is_signed
