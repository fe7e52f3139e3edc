"""The steps of least squared error on calibration tiles, for every quantized layer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor, nn

from gdq_core.bit_widths import BIT_WIDTHS
from gdq_models.errors import CheckpointError
from gdq_models.fitting.initial_steps import least_squares_step
from gdq_models.networks.base import SuperResolutionNetwork
from gdq_models.quantizers.activation import integer_range
from gdq_models.quantizers.convolution import QuantizedConv2d
from gdq_models.quantizers.weight import WEIGHT_RANGE

_SAMPLED_VALUES = 1 << 16
"""Values of an activation that are used: all of them would change the step by less than 1 %."""

_Visit = Callable[[QuantizedConv2d, Tensor], None]


def calibrate_steps(network: SuperResolutionNetwork, images: Tensor) -> None:
    """Set signs and steps of every quantized layer, replacing any that it has.

    Each bit-width has its own pass through the layers in order, so that all layers before a layer
    have already quantized its input at this bit-width.

    Args:
        network: a network in evaluation mode, with finished float weights.
        images: (N, 3, H, W) float, 0..255; run as one batch.

    Raises:
        CheckpointError: an activation of the network is not finite.
    """
    with torch.no_grad():
        with _visiting(network, _set_sign_and_weight_step):
            network(images)
        for column, width in enumerate(BIT_WIDTHS):
            route = network.route_for(torch.full((len(images),), width))
            with _visiting(network, partial(_set_step, column)):
                network(images, route)


def _set_sign_and_weight_step(layer: QuantizedConv2d, x: Tensor) -> None:
    # The released initial steps are replaced afterwards; only the sign remains.
    layer.act.initialise(x)
    layer.weight_quantizer.set_step(least_squares_step(layer.weight, *WEIGHT_RANGE))


def _set_step(column: int, layer: QuantizedConv2d, x: Tensor) -> None:
    """Set the step of one bit-width, which the quantizer uses at once."""
    signed = layer.act.is_signed
    steps = layer.act.steps.detach().clone()
    limits = integer_range(BIT_WIDTHS[column], signed=signed)
    steps[column] = least_squares_step(_sample(x), *limits)
    layer.act.set_steps(steps, signed=signed)


def _sample(x: Tensor) -> Tensor:
    """Return evenly spaced values; an odd distance reaches all columns of a picture."""
    return x.flatten()[:: max(1, x.numel() // _SAMPLED_VALUES) | 1]


@contextlib.contextmanager
def _visiting(network: SuperResolutionNetwork, visit: _Visit) -> Iterator[None]:
    """Call ``visit`` with every quantized layer and its input, just before the layer runs."""

    def hook(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(layer, QuantizedConv2d)
        if not bool(torch.isfinite(inputs[0]).all()):
            raise CheckpointError("the network's activations grow beyond what float32 can hold")
        visit(layer, inputs[0])

    handles = [layer.register_forward_pre_hook(hook) for _, layer in network.quantized_layers()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
