from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from factories import sample_tiles, tiny_compact
from gdq_models import CheckpointError, Compact
from gdq_models.predictor.gate_kind import GateKind


def upscaled(network: Compact, image: torch.Tensor) -> torch.Tensor:
    """SRVGGNetCompact in float, written from its state dict."""
    state = network.state_dict()

    def convolve(x: torch.Tensor, name: str) -> torch.Tensor:
        return F.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], padding=1)

    x = F.prelu(convolve(image / 255, "head"), state["head_act.weight"])
    for block in range(network.blocks):
        x = F.prelu(convolve(x, f"body.{block}.conv"), state[f"body.{block}.act.weight"])
    details = F.pixel_shuffle(convolve(x, "tail"), network.scale)
    return details * 255 + F.interpolate(image, scale_factor=float(network.scale), mode="nearest")


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_float_network_equals_the_formula(scale: int) -> None:
    network, image = tiny_compact(scale), sample_tiles(2, size=11)
    with torch.no_grad():
        output = network(image)
    assert output.shape == (2, 3, 11 * scale, 11 * scale)
    torch.testing.assert_close(output, upscaled(network, image), rtol=1e-5, atol=1e-3)


def test_more_bits_are_closer_to_float() -> None:
    network, image = tiny_compact(), sample_tiles(4)
    with torch.no_grad():
        exact = network(image)
        routes = [network.route_for(torch.full((4,), width)) for width in (4, 5, 6)]
        errors = [(network(image, route) - exact).abs().mean() for route in routes]
    assert errors[0] > errors[1] > errors[2]


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("gate", ["linear", "group_norm"])
def test_sizes_come_from_shapes(scale: int, gate: GateKind) -> None:
    network = tiny_compact(scale, gate, channels=12, blocks=3)
    shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    assert Compact.detects(shapes)
    built = Compact.from_shapes(shapes)
    assert (built.scale, built.channels, built.blocks) == (scale, 12, 3)
    assert built.gate_predictor.gate.kind == gate
    shapes["tail.weight"] = (75, 12, 3, 3)
    with pytest.raises(CheckpointError, match="none of the scales"):
        Compact.from_shapes(shapes)


def test_parameters_are_those_of_realesr_animevideov3() -> None:
    """The published file: 1,247,368 bytes as half-precision weights, float biases and slopes."""
    with torch.device("meta"):
        network = Compact(scale=4)
    sizes = [
        4 + 2 * module.weight.numel() + 4 * module.out_channels
        if isinstance(module, nn.Conv2d)
        else 4 * module.weight.numel()
        for module in network.modules()
        if isinstance(module, nn.Conv2d | nn.PReLU)
    ]
    assert sum(sizes) == 1_247_368
