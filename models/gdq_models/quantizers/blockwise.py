"""Fake quantization of a batch on the CPU, sample by sample, forward and backward fused.

Quantization is a chain of elementwise operations. On a whole batch each of them, and each of its
gradients, streams megabytes through memory; one sample at a time stays in the cache. In training
with bfloat16 this takes a quarter of the time of the same formula left to autograd.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

_SLOPE_AT_HALF = 1 / (2 * math.tanh(0.5))


class _Version(NamedTuple):
    """One bit-width of a sample: its index, its share, its step and its integer range."""

    number: int
    share: float
    step: float
    low: float
    high: float


class _BlockwiseQuantize(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, steps: Tensor, low: Tensor, high: Tensor, route: Tensor
    ) -> Tensor:
        ctx.save_for_backward(x, steps, low, high, route)
        output = torch.empty_like(x)
        scaled, mixed = (torch.empty_like(x[0], dtype=torch.float32) for _ in range(2))
        for sample, versions in enumerate(_versions(steps, low, high, route)):
            mixed.zero_()
            for version in versions:
                if version.share != 0:
                    scaled.copy_(x[sample]).div_(version.step).clamp_(version.low, version.high)
                    mixed.add_(scaled.round_().mul_(version.step), alpha=version.share)
            output[sample] = mixed
        return output

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, None, Tensor | None]:
        x, steps, low, high, route = ctx.saved_tensors
        of_x, of_steps = torch.empty_like(x), torch.zeros_like(steps)
        of_route = torch.zeros_like(route) if ctx.needs_input_grad[4] else None
        scaled, kept, incoming, total = (
            torch.empty_like(x[0], dtype=torch.float32) for _ in range(4)
        )
        for sample, versions in enumerate(_versions(steps, low, high, route)):
            incoming.copy_(gradient[sample])
            total.zero_()
            for number, share, step, bottom, top in versions:
                if share == 0 and of_route is None:
                    continue
                scaled.copy_(x[sample]).div_(step)
                torch.clamp(scaled, bottom, top, out=kept)
                along = kept.round().mul_(incoming).sum()
                if of_route is not None:
                    of_route[sample, number] = along * step
                if share != 0:
                    _multiply_by_slope(kept, incoming)
                    torch.ops.aten.hardtanh_backward.grad_input(
                        kept, scaled, bottom, top, grad_input=kept
                    )
                    total.add_(kept, alpha=share)
                    of_steps[number] += share * (along - kept.mul_(scaled).sum())
            of_x[sample] = total
        return of_x, of_steps, None, None, of_route


def quantize_blockwise(
    x: Tensor, steps: Tensor, low: Tensor, high: Tensor, route: Tensor
) -> Tensor:
    """Return ``sum_n route_n * steps_n * round(clamp(x / steps_n, low_n, high_n))``, in float32.

    Only the last bits of the gradients differ from the plain formula's. Versions without a share
    are not computed, except where the gradient of the route needs them.

    Args:
        x: (N, ...) on the CPU.
        steps: (B,) real value of one integer unit at each bit-width.
        low: (B,) smallest integer at each bit-width.
        high: (B,) largest integer at each bit-width.
        route: (N, B) share of each bit-width in each sample.

    Returns:
        shape and dtype of ``x``.
    """
    quantized: Tensor = _BlockwiseQuantize.apply(x, steps, low, high, route)
    return quantized


def _versions(steps: Tensor, low: Tensor, high: Tensor, route: Tensor) -> Iterator[list[_Version]]:
    """Yield the versions of each sample."""
    numbers = (steps.tolist(), low.tolist(), high.tolist())
    for shares in route.tolist():
        yield [
            _Version(number, *values)
            for number, values in enumerate(zip(shares, *numbers, strict=True))
        ]


def _multiply_by_slope(x: Tensor, gradient: Tensor) -> None:
    """Overwrite ``x`` with ``gradient`` times the slope of ``round_half_even`` at ``x``.

    sech(d)^2 = 4 s (1 - s) with s = sigmoid(2 d), which here takes a sixth of the time of tanh.
    """
    # Truncating instead of flooring mirrors the distance for negative numbers; sech is even.
    x.frac_().abs_().sub_(0.5).mul_(2).sigmoid_()
    torch.addcmul(x, x, x, value=-1, out=x)
    x.mul_(4 * _SLOPE_AT_HALF).mul_(gradient)
