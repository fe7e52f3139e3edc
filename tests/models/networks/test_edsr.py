from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from factories import sample_tiles, tiny_edsr
from gdq_models import EDSR, CheckpointError, SuperResolutionNetwork
from gdq_models.predictor.gate_kind import GateKind


def upscaled(network: SuperResolutionNetwork, image: torch.Tensor) -> torch.Tensor:
    """EDSR-baseline in float, written from its state dict (paper notes, section 1.5)."""
    state = network.state_dict()
    mean = state["mean"].view(1, 3, 1, 1)
    divisor = 255 / state["value_range"]

    def convolve(x: torch.Tensor, name: str) -> torch.Tensor:
        return F.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], padding=1)

    head = convolve((image - mean) / divisor, "head")
    x = head
    for block in range(network.blocks):
        residual = convolve(x, f"body.{block}.conv1").relu()
        x = x + convolve(residual, f"body.{block}.conv2")
    x = head + convolve(x, "body_end")
    for stage, factor in enumerate({2: [2], 3: [3], 4: [2, 2]}[network.scale]):
        x = F.pixel_shuffle(convolve(x, f"up.{stage}"), factor)
    restored: torch.Tensor = convolve(x, "tail") * divisor + mean
    return restored


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize(
    ("value_range", "mean"), [(1.0, (0.0, 0.0, 0.0)), (255.0, (114.4, 111.5, 103.0))]
)
def test_float_network_equals_the_formula(
    scale: int, value_range: float, mean: tuple[float, float, float]
) -> None:
    network = tiny_edsr(scale, value_range=value_range, mean=mean)
    image = sample_tiles(2, size=11)
    with torch.no_grad():
        output = network(image)
    assert output.shape == (2, 3, 11 * scale, 11 * scale)
    torch.testing.assert_close(output, upscaled(network, image), rtol=1e-5, atol=1e-3)


def test_a_mean_shift_of_255_range_equals_one_of_unit_range() -> None:
    """Scaling every bias and the range together changes nothing: the ends are 0..255 anyway."""
    unit = tiny_edsr(value_range=1.0, mean=(114.4, 111.5, 103.0))
    whole = tiny_edsr(value_range=255.0, mean=(114.4, 111.5, 103.0))
    state = unit.state_dict()
    state["value_range"] = torch.tensor(255.0)
    for key in state:
        if key.endswith(".bias") and not key.startswith("predictor"):
            state[key] = state[key] * 255
    whole.load_state_dict(state)
    image = sample_tiles(1, size=8)
    torch.testing.assert_close(whole(image), unit(image), rtol=1e-4, atol=1e-2)


def test_more_bits_are_closer_to_float() -> None:
    network, image = tiny_edsr(), sample_tiles(4)
    with torch.no_grad():
        exact = network(image)
        routes = [network.route_for(torch.full((4,), width)) for width in (4, 5, 6)]
        errors = [(network(image, route) - exact).abs().mean() for route in routes]
    assert errors[0] > errors[1] > errors[2]


def test_keys_are_those_of_the_format() -> None:
    keys = tiny_edsr(scale=4).state_dict().keys()
    layers = ["head", "body.0.conv1", "body.1.conv2", "body_end", "up.0", "up.1", "tail"]
    assert {f"{layer}.{part}" for layer in layers for part in ("weight", "bias")} <= keys
    quantizer = ["act.steps", "act.signed", "act.initialised", "weight_quantizer.step"]
    assert {f"body.0.conv1.{part}" for part in quantizer} <= keys


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("gate", ["linear", "group_norm"])
def test_sizes_come_from_shapes(scale: int, gate: GateKind) -> None:
    network = tiny_edsr(scale, gate, channels=12, blocks=3)
    shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    assert EDSR.detects(shapes)
    built = EDSR.from_shapes(shapes)
    assert (built.scale, built.channels, built.blocks) == (scale, 12, 3)
    assert built.gate_predictor.gate.kind == gate


def test_an_unknown_upsampler_is_refused() -> None:
    shapes = {key: tuple(value.shape) for key, value in tiny_edsr().state_dict().items()}
    shapes["up.0.weight"] = (16 * 25, 16, 3, 3)
    with pytest.raises(CheckpointError, match="none of the scales"):
        EDSR.from_shapes(shapes)


def test_an_unknown_scale_cannot_be_built() -> None:
    with pytest.raises(ValueError, match=r"scale must be one of \(2, 3, 4\), got 8"):
        EDSR(scale=8)
