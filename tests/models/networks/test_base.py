from __future__ import annotations

import warnings
from collections import Counter

import numpy as np
import onnx_ir as ir
import pytest
import torch
import torch.nn.functional as F

from factories import sample_tiles, tiny_edsr, tiny_srresnet
from gdq_models import EDSR, SuperResolutionNetwork
from gdq_models.predictor.gate_kind import GateKind


def traced(network: SuperResolutionNetwork) -> ir.Graph:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns about its own internals
        program = torch.onnx.export(
            network, (sample_tiles(1, size=16), None), dynamo=True, verbose=False
        )
    assert program is not None
    return program.model.graph


def operators(graph: ir.Graph) -> Counter[str]:
    return Counter(f"{node.domain}::{node.op_type}" for node in graph)


@pytest.mark.parametrize("make", [tiny_edsr, tiny_srresnet])
def test_a_trace_carries_every_learned_step_bit_for_bit(make: type) -> None:
    network = make()
    graph = traced(network)
    layers = [layer for _, layer in network.quantized_layers()]
    assert len(layers) == 4
    found = operators(graph)
    assert found["gdq::ActQuant"] == found["gdq::WeightQuant"] == len(layers)
    nodes = [node for node in graph if node.op_type == "ActQuant"]
    for node, layer in zip(nodes, layers, strict=True):
        steps = node.inputs[1]
        assert steps is not None
        assert steps.const_value is not None
        np.testing.assert_array_equal(steps.const_value.numpy(), layer.act.steps.detach().numpy())
        assert node.attributes["signed"].as_int() == int(layer.act.is_signed)
    weights = [node.inputs[1] for node in graph if node.op_type == "WeightQuant"]
    for step, layer in zip(weights, layers, strict=True):
        assert step is not None
        assert step.const_value is not None
        assert step.const_value.numpy() == layer.weight_quantizer.step.detach().numpy()


@pytest.mark.parametrize(
    ("value_range", "mean", "expected"),
    [
        (255.0, (0.0, 0.0, 0.0), {}),
        (1.0, (0.0, 0.0, 0.0), {"::Div": 1, "::Mul": 1}),
        (255.0, (9.0, 9.0, 9.0), {"::Sub": 1, "::Add": 1}),
    ],
)
def test_a_trace_has_no_ends_that_do_nothing(
    value_range: float, mean: tuple[float, float, float], expected: dict[str, int]
) -> None:
    network = tiny_edsr(value_range=value_range, mean=mean)
    found = operators(traced(network))
    additions_of_the_network = network.blocks + 1
    found["::Add"] -= additions_of_the_network
    ends = {name: found[name] for name in ("::Sub", "::Add", "::Div", "::Mul") if found[name]}
    assert ends == expected


def test_loading_a_state_restores_range_and_mean() -> None:
    source = tiny_edsr(value_range=255.0, mean=(9.0, 8.0, 7.0))
    target = EDSR(scale=2, channels=16, blocks=2).eval()
    target.load_state_dict(source.state_dict())
    image = sample_tiles(1, size=8)
    assert torch.equal(target(image), source(image))


@pytest.mark.parametrize("gate", ["linear", "group_norm"])
@pytest.mark.parametrize("mean", [(0.0, 0.0, 0.0), (110.0, 100.0, 90.0)])
def test_predictor_parameters_reproduce_the_logits(
    gate: GateKind, mean: tuple[float, float, float]
) -> None:
    """Head convolution and gate, from the arrays alone, in float64."""
    network = tiny_edsr(gate=gate, mean=mean)
    tiles = sample_tiles(3, size=12)
    parameters = network.predictor_parameters()
    shifted = tiles.double() - torch.from_numpy(parameters.mean).view(1, 3, 1, 1)
    features = F.conv2d(
        shifted,
        torch.from_numpy(parameters.head_weight),
        torch.from_numpy(parameters.head_bias),
        padding=parameters.head_weight.shape[-1] // 2,
    )
    granularities = [features, F.avg_pool2d(features, 2), F.avg_pool2d(features, 4)]
    if gate == "group_norm":
        assert parameters.groups is not None
        assert parameters.norm_weight is not None
        assert parameters.norm_bias is not None
        granularities = [
            F.group_norm(
                z, parameters.groups, torch.from_numpy(weight), torch.from_numpy(bias), 1e-6
            )
            for z, weight, bias in zip(
                granularities, parameters.norm_weight, parameters.norm_bias, strict=True
            )
        ]
    means = torch.cat([z.mean(dim=(2, 3)) for z in granularities], dim=1).numpy()
    expected = means @ parameters.gate_weight.T + parameters.gate_bias
    np.testing.assert_allclose(network.predict(tiles).logits.detach(), expected, atol=1e-4)


def test_predictor_parameters_hold_thresholds_and_widths() -> None:
    network = tiny_srresnet()
    parameters = network.predictor_parameters()
    assert tuple(parameters.e2b_thresholds) == network.gate_predictor.e2b.thresholds()
    assert parameters.e2b_bit_widths == (4, 5, 8)
    assert parameters.gate_bit_widths == (4, 6, 8)
    assert parameters.head_bias.tolist() == [0.0] * network.channels
    assert parameters.groups is None


def test_a_new_network_has_no_predictor_to_speak_of() -> None:
    with pytest.raises(ValueError, match="no entropy table"):
        EDSR(scale=2, channels=4, blocks=1).predictor_parameters()


def test_quantized_layers_come_in_order() -> None:
    names = [name for name, _ in tiny_edsr().quantized_layers()]
    assert names == ["body.0.conv1", "body.0.conv2", "body.1.conv1", "body.1.conv2"]
