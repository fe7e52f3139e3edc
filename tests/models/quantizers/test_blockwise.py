from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from gdq_models.quantizers.blockwise import quantize_blockwise
from gdq_models.quantizers.rounding import round_half_even

LOW, HIGH = torch.tensor([-8.0, -16.0, 0.0]), torch.tensor([7.0, 15.0, 255.0])


def plain(x: Tensor, steps: Tensor, route: Tensor) -> Tensor:
    """sum_n w_n s_n round(clamp(x / s_n)), every part of it left to autograd."""
    versions = [
        step * round_half_even(torch.clamp(x / step, low, high))
        for step, low, high in zip(steps, LOW, HIGH, strict=True)
    ]
    return torch.einsum("bn...,nb->n...", torch.stack(versions), route)


def leaves(seed: int, shape: tuple[int, ...]) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(shape, generator=generator) * 2
    steps = torch.rand(3, generator=generator) * 0.4 + 0.01
    route = torch.rand(shape[0], 3, generator=generator)
    route[route < 0.3] = 0
    return x.requires_grad_(), steps.requires_grad_(), route.requires_grad_()


@given(seed=st.integers(0, 10_000), samples=st.integers(1, 3), side=st.integers(1, 5))
def test_equals_the_plain_formula_and_its_gradients(seed: int, samples: int, side: int) -> None:
    inputs = leaves(seed, (samples, 2, side, side))
    weight = torch.randn(inputs[0].shape, generator=torch.Generator().manual_seed(seed + 1))
    outputs = [quantize_blockwise(inputs[0], inputs[1], LOW, HIGH, inputs[2]), plain(*inputs)]
    torch.testing.assert_close(outputs[0], outputs[1], rtol=1e-5, atol=1e-6)
    ours, expected = (torch.autograd.grad((output * weight).sum(), inputs) for output in outputs)
    for gradient, reference in zip(ours, expected, strict=True):
        torch.testing.assert_close(gradient, reference, rtol=1e-4, atol=1e-4)


def test_codes_are_exact_in_bfloat16() -> None:
    """The quotient is rounded in float32: in bfloat16 codes near 200 would be off by one."""
    x = torch.arange(0, 256, dtype=torch.float32).view(1, 1, 16, 16).to(torch.bfloat16)
    one_hot = torch.tensor([[0.0, 0.0, 1.0]])
    step = torch.tensor([1.0, 1.0, 1.07])
    output = quantize_blockwise(x, step, LOW, HIGH, one_hot)
    assert output.dtype == torch.bfloat16
    codes = torch.round(x.double() / step[2].double()).clamp(0, 255)
    assert torch.equal(output, (codes.float() * step[2]).to(torch.bfloat16))


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_keeps_the_memory_format(memory_format: torch.memory_format) -> None:
    x, steps, route = leaves(0, (2, 3, 4, 4))
    x = x.detach().to(memory_format=memory_format)
    output = quantize_blockwise(x, steps, LOW, HIGH, route)
    assert output.is_contiguous(memory_format=memory_format)
