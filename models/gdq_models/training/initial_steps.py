"""Steps to start from: those of least squared error on a batch of activations.

The released start, ``2 * mean(|x|) / sqrt(Qp)`` and ``2 * max(|w|) / sqrt(127)``, leaves a weight
twelve of its 256 integers; to learn the others takes longer than a short training has.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gdq_models.networks.base import SuperResolutionNetwork
from gdq_models.quantizers.activation import BIT_WIDTHS, integer_range
from gdq_models.quantizers.convolution import QuantizedConv2d
from gdq_models.quantizers.weight import WEIGHT_RANGE

_SIGNED_BELOW = -1e-5
_CANDIDATES = 60
_SMALLEST_RATIO = 0.05
_SAMPLED_VALUES = 1 << 16


def initialise_steps(network: SuperResolutionNetwork, images: Tensor) -> None:
    """Sets the steps of every quantized layer that has none yet.

    Args:
        network: run in float on ``images``; its mode is restored.
        images: (N, 3, H, W), 0..255.
    """
    layers = [layer for _, layer in network.quantized_layers() if not _is_ready(layer)]
    hooks = [layer.register_forward_pre_hook(_set_from_input) for layer in layers]
    was_training = network.training
    try:
        with torch.no_grad():
            network.eval()(images, None)
    finally:
        network.train(was_training)
        for hook in hooks:
            hook.remove()


def least_squares_step(values: Tensor, low: int, high: int) -> float:
    """Returns the step of least squared error among 60 between all and a twentieth of the range.

    Args:
        values: any shape, float.
        low: smallest integer.
        high: largest integer.
    """
    values = values.detach().float().flatten()
    # Every k-th value keeps the result reproducible.
    values = values[:: max(1, len(values) // _SAMPLED_VALUES)]
    # An activation that is zero throughout still needs a step that can be divided by.
    peak = max(float(values.max()) / high, float(-values.min()) / max(-low, 1), 1e-6)
    ratios: list[float] = torch.logspace(math.log10(_SMALLEST_RATIO), 0, _CANDIDATES).tolist()
    candidates = [peak * ratio for ratio in ratios]
    return min(candidates, key=lambda step: _error(values, step, low, high))


def _error(values: Tensor, step: float, low: int, high: int) -> float:
    quantized = (values / step).clamp(low, high).round() * step
    return float((values - quantized).square().sum())


def _is_ready(layer: QuantizedConv2d) -> bool:
    return bool(layer.act.initialised.all()) and bool(layer.weight_quantizer.initialised)


def _set_from_input(layer: torch.nn.Module, inputs: tuple[Tensor, ...]) -> None:
    assert isinstance(layer, QuantizedConv2d)
    x = inputs[0]
    signed = bool(x.min() < _SIGNED_BELOW)
    ranges = [integer_range(width, signed=signed) for width in BIT_WIDTHS]
    layer.act.set_steps([least_squares_step(x, *limits) for limits in ranges], signed=signed)
    layer.weight_quantizer.set_step(least_squares_step(layer.weight, *WEIGHT_RANGE))
