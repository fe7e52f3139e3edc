from __future__ import annotations

import numpy as np
import onnx_ir as ir
import pytest

from exporter import oracle
from exporter.networks import Array, Network, array, operators, random, random_codes
from gdq_exporter.errors import ExportError
from gdq_exporter.ir import editing, forms
from gdq_exporter.passes.integer_biases import IntegerBiasesPass

INPUT_STEP = np.float32(0.03)
CHANNEL_STEPS = np.array([0.01, 0.02, 0.005, 0.3, 0.07], np.float32)


def network_with(bias: Array, step: Array | float) -> ir.Model:
    """Quantized input, integer conv 3 -> 5, float bias."""
    network = Network(3)
    x = network.quantized(network.x, float(INPUT_STEP), zero_point=128)
    weight = network.integer_weight(random_codes(5, 3, 3, 3), step)
    return network.model(network.conv(x, weight, bias))


def stored_bias(model: ir.Model) -> tuple[ir.Node, Array, Array]:
    """Its DequantizeLinear, codes and step."""
    (conv,) = forms.integer_convs(model)
    node = editing.input_of(conv, 2).producer()
    assert node is not None
    assert editing.is_op(node, "DequantizeLinear")
    codes, step = (array(value) for value in node.inputs)
    return node, codes, step


@pytest.mark.parametrize("step", [0.01, CHANNEL_STEPS])
def test_counts_in_units_of_input_step_times_weight_step(step: Array | float) -> None:
    """round(b / (s_x s_w)), to int32, without zero point: the form ONNX Runtime fuses."""
    bias = random(5, seed=1) * 3
    model = network_with(bias, step)
    x = random(1, 3, 5, 6, seed=2)
    before = oracle.output(model, x)
    assert IntegerBiasesPass()(model).modified
    node, codes, bias_step = stored_bias(model)
    unit = (INPUT_STEP * np.asarray(step, np.float32)).astype(np.float32)
    np.testing.assert_array_equal(bias_step, unit)
    assert bias_step.shape == np.shape(step)
    assert node.attributes.get_int("axis", 1) == (0 if np.ndim(step) else 1)
    assert codes.dtype == np.int32
    np.testing.assert_array_equal(codes, np.rint(bias / unit.astype(np.float64)))
    assert np.abs(oracle.output(model, x) - before).max() <= unit.max() / 2 * (1 + 1e-3)


def test_halves_go_to_even() -> None:
    unit = float(np.float32(INPUT_STEP * np.float32(0.01)))
    halves = np.array([0.5, 1.5, 2.5, -0.5, -1.5]) * unit
    model = network_with(halves.astype(np.float32), 0.01)
    IntegerBiasesPass()(model)
    _, codes, step = stored_bias(model)
    expected = np.rint(halves.astype(np.float32) / step.astype(np.float64))
    np.testing.assert_array_equal(codes, expected)


def test_the_accumulator_is_exact() -> None:
    """Codes, int8 weights and int32 bias alone give the lowered network's output."""
    model = network_with(random(5, seed=1), CHANNEL_STEPS)
    x = random(1, 3, 7, 6, seed=2)
    IntegerBiasesPass()(model)
    (conv,) = forms.integer_convs(model)
    weight = editing.input_of(conv, 1).producer()
    assert weight is not None
    codes = np.clip(np.rint(x / INPUT_STEP) + 128, 0, 255).astype(np.uint8)
    _, bias, unit = stored_bias(model)
    exact = oracle.accumulate(codes, 128, array(weight.inputs[0]), bias.astype(np.int32))
    expected = exact * unit.astype(np.float64)[:, None, None]
    np.testing.assert_allclose(oracle.output(model, x), expected, rtol=1e-5, atol=1e-5)


def test_a_bias_too_large_for_a_vanished_channel_makes_its_step_larger() -> None:
    """Weights of 1e-12 beside a bias of one: the bias stays, the other channels stay."""
    steps = CHANNEL_STEPS.copy()
    steps[1] = 1e-14
    bias = random(5, seed=1)
    model = network_with(bias, steps)
    x = random(1, 3, 5, 6, seed=2)
    before = oracle.output(model, x)
    IntegerBiasesPass()(model)
    _, codes, unit = stored_bias(model)
    assert np.abs(codes.astype(np.int64)).max() <= 2**30
    np.testing.assert_array_equal(np.delete(unit, 1), INPUT_STEP * np.delete(CHANNEL_STEPS, 1))
    np.testing.assert_allclose(oracle.output(model, x), before, rtol=1e-5, atol=unit.max() * 0.6)
    np.testing.assert_allclose(codes * unit.astype(np.float64), bias, atol=unit.max())


def test_a_learned_step_that_is_too_small_is_refused() -> None:
    """It must not be changed."""
    model = network_with(np.ones(5, np.float32), 1e-10)
    with pytest.raises(ExportError, match="more than 32 bits"):
        IntegerBiasesPass()(model)


def test_float_convs_keep_their_bias() -> None:
    network = Network(3)
    model = network.model(network.conv(network.x, random(5, 3, 3, 3), random(5)))
    assert not IntegerBiasesPass()(model).modified
    assert operators(model) == {"Conv": 1}


def test_precondition_on_the_input() -> None:
    network = Network(3)
    weight = network.integer_weight(random_codes(5, 3, 3, 3), 0.01)
    model = network.model(network.conv(network.x, weight, random(5)))
    with pytest.raises(ir.passes.PreconditionError, match="not ready"):
        IntegerBiasesPass()(model)


def test_precondition_on_the_bias() -> None:
    network = Network(3)
    weight = network.integer_weight(random_codes(5, 3, 3, 3), 0.01)
    model = network.model(network.conv(network.quantized(network.x, 0.1, 0), weight))
    with pytest.raises(ir.passes.PreconditionError, match="not ready"):
        IntegerBiasesPass()(model)
