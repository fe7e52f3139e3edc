from __future__ import annotations

import numpy as np
import onnx_ir as ir
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from exporter import oracle
from exporter.networks import Array, Network, array, only, operators, random
from gdq_exporter.errors import ExportError
from gdq_exporter.passes.integer_weights import IntegerWeightsPass

STEPS = st.floats(2.0**-12, 4, width=32)
WEIGHTS = hnp.arrays(np.float32, (2, 3, 3, 3), elements=st.floats(-300, 300, width=32))


@given(weight=WEIGHTS, step=STEPS)
def test_stores_the_integers_of_training(weight: Array, step: float) -> None:
    """round(clip(w / step, -128, 127)), halves to even; times the step, the weights of training."""
    network = Network(3)
    model = network.model(network.conv(network.x, network.weight_quant(weight, step)))
    x = random(1, 3, 4, 4)
    before = oracle.output(model, x)
    assert IntegerWeightsPass()(model).modified
    assert operators(model) == {"DequantizeLinear": 1, "Conv": 1}
    codes, stored_step = (array(value) for value in only(model, "DequantizeLinear").inputs)
    expected = np.rint(np.clip(weight / np.float32(step), -128, 127))
    assert codes.dtype == np.int8
    np.testing.assert_array_equal(codes, expected)
    assert stored_step.shape == ()
    assert stored_step == np.float32(step)
    np.testing.assert_array_equal(oracle.output(model, x), before)


def test_the_float_weights_are_gone() -> None:
    network = Network(3)
    weight = network.weight_quant(random(2, 3, 3, 3), 0.02)
    model = network.model(network.conv(network.x, weight))
    IntegerWeightsPass()(model)
    stored = [value.const_value for value in model.graph.initializers.values()]
    assert sorted(tensor.dtype.name for tensor in stored if tensor) == ["FLOAT", "INT8"]


def test_a_step_of_one_element_is_a_scalar_afterwards() -> None:
    """ONNX Runtime does not fuse a step of shape [1]."""
    network = Network(3)
    inputs = network.constant(random(2, 3, 3, 3)), network.constant([0.02])
    model = network.model(network.conv(network.x, network.op("WeightQuant", *inputs, domain="gdq")))
    IntegerWeightsPass()(model)
    assert array(only(model, "DequantizeLinear").inputs[1]).shape == ()


def test_computed_weights_are_refused() -> None:
    network = Network(3)
    weight = network.op("Neg", network.constant(random(2, 3, 3, 3)))
    quantized = network.op("WeightQuant", weight, network.constant(0.02), domain="gdq")
    model = network.model(network.conv(network.x, quantized))
    with pytest.raises(ExportError, match="computed, not stored"):
        IntegerWeightsPass()(model)


def test_postcondition() -> None:
    network = Network(3)
    weight = network.weight_quant(random(2, 3, 3, 3), 0.02)
    model = network.model(network.conv(network.x, weight))
    with pytest.raises(ir.passes.PostconditionError, match="WeightQuant is left"):
        IntegerWeightsPass().ensures(model)
