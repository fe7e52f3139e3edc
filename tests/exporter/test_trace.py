from __future__ import annotations

import numpy as np
import pytest
import torch

from exporter import oracle
from exporter.networks import array
from exporter.traced import NETWORKS, network, traced
from factories import sample_tiles
from gdq_core.bit_widths import BIT_WIDTHS
from gdq_exporter.ir import editing

SIZES = [(4, 7), (24, 24), (9, 5)]
"""Of the example that was traced, and others: the dimensions vary."""


@pytest.mark.parametrize("name", NETWORKS)
def test_one_trace_runs_every_width_and_size(name: str) -> None:
    model = traced(name)
    for (height, width), bit_width in zip(SIZES, (4, 5, 8), strict=True):
        picture = sample_tiles(8, 24)[6:7, :, :height, :width]
        route = network(name).route_for(torch.tensor([bit_width]))
        with torch.inference_mode():
            expected = network(name)(picture, route).numpy()
        error = np.abs(oracle.output(model, picture.numpy(), bit_width) - expected)
        assert error.shape == expected.shape
        # A value between two codes may fall to either side.
        assert np.median(error) < 1e-3
        assert error.mean() < 0.05


@pytest.mark.parametrize("name", NETWORKS)
def test_learned_steps_and_signs_arrive_bit_for_bit(name: str) -> None:
    quantizers = [layer.act for _, layer in network(name).quantized_layers()]
    nodes = list(editing.nodes_of(traced(name), "ActQuant", "gdq"))
    assert len(nodes) == len(quantizers)
    for node, quantizer in zip(nodes, quantizers, strict=True):
        steps = array(node.inputs[1])
        assert steps.shape == (len(BIT_WIDTHS),)
        np.testing.assert_array_equal(steps, quantizer.steps.detach().numpy())
        assert node.attributes["signed"].as_int() == int(quantizer.is_signed)


def test_learned_weight_steps_arrive_bit_for_bit() -> None:
    layers = [layer for _, layer in network("edsr x2").quantized_layers()]
    nodes = list(editing.nodes_of(traced("edsr x2"), "WeightQuant", "gdq"))
    for node, layer in zip(nodes, layers, strict=True):
        np.testing.assert_array_equal(array(node.inputs[0]), layer.weight.detach().numpy())
        assert array(node.inputs[1]) == layer.weight_quantizer.step.detach().numpy()


def test_ends() -> None:
    graph = traced("srresnet x4").graph
    assert [value.name for value in (*graph.inputs, *graph.outputs)] == ["tile", "output"]
    assert graph.inputs[0].shape is not None
    assert [str(dim) for dim in graph.inputs[0].shape] == ["1", "3", "height", "width"]
