from __future__ import annotations

import numpy as np
import onnx_ir as ir
import pytest

from exporter import oracle
from exporter.networks import Network, array, operators, random
from gdq_exporter.passes.explicit_bias import ExplicitBiasPass


def test_adds_zeros_where_there_is_none() -> None:
    network, bias = Network(3), random(5, seed=1)
    x = network.conv(network.x, random(5, 3, 3, 3), bias)
    weight = network.integer_weight(np.ones((4, 5, 3, 3)), 0.1)
    weight.shape = ir.Shape([4, 5, 3, 3])
    model = network.model(network.conv(x, weight))
    pixels = random(1, 3, 4, 5)
    before = oracle.output(model, pixels)
    assert ExplicitBiasPass()(model).modified
    first, second = (node for node in model.graph if node.op_type == "Conv")
    np.testing.assert_array_equal(array(first.inputs[2]), bias)
    np.testing.assert_array_equal(array(second.inputs[2]), np.zeros(4, np.float32))
    np.testing.assert_array_equal(oracle.output(model, pixels), before)


def test_an_omitted_bias_counts_as_none() -> None:
    network = Network(3)
    model = network.model(network.op("Conv", network.x, network.constant(random(2, 3, 1, 1)), None))
    assert ExplicitBiasPass()(model).modified
    assert not ExplicitBiasPass()(model).modified
    assert operators(model) == {"Conv": 1}


def test_postcondition() -> None:
    network = Network(3)
    model = network.model(network.conv(network.x, random(5, 3, 3, 3)))
    with pytest.raises(ir.passes.PostconditionError, match="no bias"):
        ExplicitBiasPass().ensures(model)
