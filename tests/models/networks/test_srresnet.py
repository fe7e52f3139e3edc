from __future__ import annotations

import pytest
import torch

from factories import sample_tiles, tiny_srresnet
from gdq_models import SRResNet
from gdq_models.predictor.gate_kind import GateKind


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_upscales(scale: int) -> None:
    network = tiny_srresnet(scale)
    with torch.no_grad():
        output = network(sample_tiles(1, size=9), network.route_for(torch.tensor([5])))
    assert output.shape == (1, 3, 9 * scale, 9 * scale)
    assert torch.isfinite(output).all()


@pytest.mark.parametrize(("scale", "parameters"), [(2, 1_399_314), (4, 1_546_771)])
def test_parameters_are_those_of_the_paper_notes(scale: int, parameters: int) -> None:
    """Float weights, without quantizers and predictor (paper notes, section 1.5)."""
    with torch.device("meta"):
        network = SRResNet(scale=scale)
    counted = sum(
        parameter.numel()
        for name, parameter in network.named_parameters()
        if not name.startswith("predictor.") and not name.endswith((".steps", ".step"))
    )
    shortcuts = network.blocks  # not in the float network that was counted
    assert counted - shortcuts == parameters


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("norm_first", [False, True])
def test_the_form_comes_from_shapes(bias: bool, norm_first: bool) -> None:
    network = tiny_srresnet(bias=bias, norm_first=norm_first)
    shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    assert SRResNet.from_shapes(shapes).form == {"bias": bias, "norm_first": norm_first}


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("gate", ["linear", "group_norm"])
def test_sizes_come_from_shapes(scale: int, gate: GateKind) -> None:
    network = tiny_srresnet(scale, gate, channels=12, blocks=1)
    shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    assert SRResNet.detects(shapes)
    built = SRResNet.from_shapes(shapes)
    assert (built.scale, built.channels, built.blocks) == (scale, 12, 1)
    assert built.gate_predictor.gate.kind == gate
