"""Rounding and gradient scaling, the two autograd functions of learned-step quantization."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor


class _SoftRound(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.round(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        distance = x - torch.floor(x) - 0.5
        slope = (1 - torch.tanh(distance) ** 2) / (2 * math.tanh(0.5))
        return gradient * slope


class _ScaleGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, factor: Tensor) -> Tensor:
        ctx.save_for_backward(factor)
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (factor,) = ctx.saved_tensors
        return gradient * factor, None


def round_half_even(x: Tensor) -> Tensor:
    """Round to the nearest integer, halves to even, with a gradient.

    The gradient is that of ``tanh(f - 0.5) / tanh(0.5) / 2 + 0.5``, where f is the fractional part
    in [0, 1): from 0.85 at integers to 1.08 at halves (QuantSR, as released with Granular-DQ).
    """
    rounded: Tensor = _SoftRound.apply(x)
    return rounded


def scale_gradient(x: Tensor, factor: Tensor) -> Tensor:
    """Return ``x`` unchanged, but multiply its gradient by ``factor``, which broadcasts to it.

    The customary ``(x - x * f).detach() + x * f`` changes the last bit of ``x``; a learned step
    must reach the integer kernels bit for bit, so this does not.
    """
    scaled: Tensor = _ScaleGradient.apply(x, factor)
    return scaled
