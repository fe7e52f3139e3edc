from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import Tensor

from factories import tiny_edsr, tiny_srresnet
from gdq_core.bit_widths import BIT_WIDTHS
from gdq_models import CheckpointError, SuperResolutionNetwork, integer_range
from gdq_models.fitting.photos import CalibrationTiles
from gdq_models.fitting.steps import calibrate_steps


def inputs_of_layers(
    network: SuperResolutionNetwork, images: Tensor, bit_width: int | None
) -> dict[str, np.ndarray]:
    """Returns what each quantized layer is given, before it quantizes."""
    seen: dict[str, np.ndarray] = {}
    handles = [
        layer.register_forward_pre_hook(
            lambda _, inputs, name=name: seen.__setitem__(name, inputs[0].double().numpy())
        )
        for name, layer in network.quantized_layers()
    ]
    route = None
    if bit_width is not None:
        route = network.route_for(torch.full((len(images),), bit_width))
    with torch.no_grad():
        network(images, route)
    for handle in handles:
        handle.remove()
    return seen


def squared_error(values: np.ndarray, step: float, low: int, high: int) -> float:
    quantized = np.clip(np.rint(values / step), low, high) * step
    return float(np.square(quantized - values).sum())


@pytest.mark.parametrize("network", [tiny_edsr(), tiny_srresnet()], ids=["edsr", "srresnet"])
def test_every_step_is_the_best_for_what_quantized_layers_before_it_give(
    network: SuperResolutionNetwork, tiles: CalibrationTiles
) -> None:
    images = tiles.low[::3].float()
    calibrate_steps(network, images)
    layers = dict(network.quantized_layers())
    for column, width in enumerate(BIT_WIDTHS):
        for name, values in inputs_of_layers(network, images, width).items():
            act = layers[name].act
            low, high = integer_range(width, signed=act.is_signed)
            found = squared_error(values, float(act.steps.detach()[column]), low, high)
            # Four times as fine as the candidates, over a wider range.
            peak = np.abs(values).max() / high
            best = min(
                squared_error(values, peak * r, low, high) for r in np.geomspace(0.01, 1, 300)
            )
            assert found <= best * 1.06, (name, width)


def test_weight_steps_are_the_best_too(tiles: CalibrationTiles) -> None:
    network = tiny_edsr()
    calibrate_steps(network, tiles.low[:4].float())
    for name, layer in network.quantized_layers():
        weight = layer.weight.detach().double().numpy()
        found = squared_error(weight, float(layer.weight_quantizer.step.detach()), -128, 127)
        peak = np.abs(weight).max() / 127
        best = min(squared_error(weight, peak * r, -128, 127) for r in np.geomspace(0.2, 1.1, 400))
        assert found <= best * 1.1, name


def test_signs_are_those_of_the_float_network(tiles: CalibrationTiles) -> None:
    network, images = tiny_edsr(), tiles.low[:4].float()
    for _, layer in network.quantized_layers():
        layer.act.set_steps([1.0] * 4, signed=False)
    calibrate_steps(network, images)
    for name, values in inputs_of_layers(network, images, None).items():
        assert network.get_submodule(name).act.is_signed == bool((values < -1e-5).any())


def test_the_same_images_give_the_same_steps(tiles: CalibrationTiles) -> None:
    first = tiny_edsr()
    second = copy.deepcopy(first)
    calibrate_steps(first, tiles.low[:4].float())
    calibrate_steps(second, tiles.low[:4].float())
    calibrate_steps(second, tiles.low[:4].float())
    for (_, one), (_, other) in zip(
        first.quantized_layers(), second.quantized_layers(), strict=True
    ):
        assert torch.equal(one.act.steps, other.act.steps)


def test_weights_that_overflow_are_refused(tiles: CalibrationTiles) -> None:
    network = tiny_edsr()
    with torch.no_grad():
        network.head.weight.fill_(3e38)
    with pytest.raises(CheckpointError, match="beyond what float32 can hold"):
        calibrate_steps(network, tiles.low[:1].float())
