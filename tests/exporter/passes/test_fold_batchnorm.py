from __future__ import annotations

import numpy as np
import onnx_ir as ir
import pytest

from exporter import oracle
from exporter.networks import Array, Network, array, only, operators, random, random_codes
from gdq_exporter.passes.fold_batchnorm import FoldBatchNormPass

GAMMA = np.array([1.5, -0.7, 0.0, 2.0, -3.0], np.float32)
"""Positive, negative and zero factors."""
BETA, MEAN, VARIANCE = random(5, seed=1), random(5, seed=2), random(5, seed=3) ** 2 + 0.1


def normalised(y: Array) -> Array:
    """gamma (y - mean) / sqrt(var + eps) + beta."""
    per_channel = (array[:, None, None] for array in (GAMMA, BETA, MEAN, VARIANCE))
    gamma, beta, mean, variance = per_channel
    result: Array = gamma * (y - mean) / np.sqrt(variance + 1e-5) + beta
    return result


def add_norm(network: Network, x: ir.Value) -> ir.Value:
    return network.batch_norm(x, GAMMA, BETA, MEAN, VARIANCE)


@pytest.mark.parametrize("bias", [None, random(5, seed=4)])
def test_float_conv_takes_it_in(bias: Array | None) -> None:
    network = Network(3)
    conv = network.conv(network.x, random(5, 3, 3, 3), bias)
    model = network.model(add_norm(network, conv))
    x = random(1, 3, 6, 7, seed=5)
    before = oracle.output(model, x)
    result = FoldBatchNormPass()(model)
    assert result.modified
    assert operators(model) == {"Conv": 1}
    np.testing.assert_allclose(oracle.output(model, x), before, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("step", [0.01, np.array([0.01, 0.02, 0.03, 0.04, 0.05], np.float32)])
def test_integer_conv_keeps_its_integers(step: Array | float) -> None:
    """Factor into the step, sign into the codes; the codes of a zero factor are zero."""
    network, codes = Network(3), random_codes(5, 3, 3, 3)
    conv = network.conv(network.x, network.integer_weight(codes, step), random(5, seed=4))
    model = network.model(add_norm(network, conv))
    x = random(1, 3, 6, 7, seed=5)
    before = oracle.output(model, x)
    FoldBatchNormPass()(model)
    assert operators(model) == {"DequantizeLinear": 1, "Conv": 1}
    folded = only(model, "DequantizeLinear")
    sign = np.sign(GAMMA).astype(int)[:, None, None, None]
    np.testing.assert_array_equal(array(folded.inputs[0]), codes * sign)
    factor = np.abs(GAMMA) / np.sqrt(VARIANCE + 1e-5)
    expected = np.where(factor == 0, 1, step * factor)
    np.testing.assert_allclose(array(folded.inputs[1]), expected, rtol=1e-6)
    np.testing.assert_allclose(oracle.output(model, x), before, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("channel", "folds"), [(0, True), (1, False), (2, True)])
def test_the_code_without_a_negative_is_refused(channel: int, folds: bool) -> None:
    """-128 in a channel of negative factor; elsewhere it is a code like any other."""
    network, codes = Network(3), random_codes(5, 3, 3, 3)
    codes[channel, 0, 1, 1] = -128
    conv = network.conv(network.x, network.integer_weight(codes, 0.01), random(5, seed=4))
    model = network.model(add_norm(network, conv))
    x = random(1, 3, 6, 7, seed=5)
    before = oracle.output(model, x)
    FoldBatchNormPass()(model)
    assert ("Mul" in operators(model)) is not folds
    np.testing.assert_allclose(oracle.output(model, x), before, rtol=1e-4, atol=1e-4)
    if not folds:
        np.testing.assert_array_equal(array(only(model, "DequantizeLinear").inputs[0]), codes)


def test_a_channel_that_vanished_keeps_a_step_that_can_be_divided_by() -> None:
    """Weight decay lets factors shrink until they are denormal numbers."""
    network = Network(3)
    conv = network.conv(network.x, network.integer_weight(random_codes(2, 3, 3, 3), 0.01))
    gamma, beta = np.array([1e-40, -1], np.float32), np.array([0.5, 0.25], np.float32)
    model = network.model(network.batch_norm(conv, gamma, beta, np.zeros(2), np.ones(2)))
    x = random(1, 3, 4, 4)
    before = oracle.output(model, x)
    FoldBatchNormPass()(model)
    dequantize = only(model, "DequantizeLinear")
    assert array(dequantize.inputs[1])[0] == 1
    assert not array(dequantize.inputs[0])[0].any()
    np.testing.assert_allclose(oracle.output(model, x), before, rtol=1e-4, atol=1e-4)


def test_behind_an_activation_it_becomes_mul_and_add() -> None:
    network = Network(5)
    model = network.model(add_norm(network, network.op("Relu", network.x)))
    x = random(1, 5, 4, 4)
    FoldBatchNormPass()(model)
    assert operators(model) == {"Relu": 1, "Mul": 1, "Add": 1}
    expected = normalised(np.maximum(x, 0))
    np.testing.assert_allclose(oracle.output(model, x), expected, rtol=1e-4, atol=1e-5)


def test_a_conv_with_a_second_reader_is_left_alone() -> None:
    network, weight = Network(5), random(5, 5, 3, 3)
    conv = network.conv(network.x, weight)
    model = network.model(network.op("Add", add_norm(network, conv), conv))
    x = random(1, 5, 4, 4)
    before = oracle.output(model, x)
    FoldBatchNormPass()(model)
    np.testing.assert_array_equal(array(only(model, "Conv").inputs[1]), weight)
    np.testing.assert_allclose(oracle.output(model, x), before, rtol=1e-4, atol=1e-4)


def test_shared_weights_change_for_the_normalised_conv_only() -> None:
    network = Network(5)
    weight = network.constant(random(5, 5, 3, 3))
    first = add_norm(network, network.conv(network.x, weight))
    model = network.model(network.op("Add", first, network.conv(network.x, weight)))
    x = random(1, 5, 4, 4)
    before = oracle.output(model, x)
    FoldBatchNormPass()(model)
    assert operators(model) == {"Conv": 2, "Add": 1}
    np.testing.assert_allclose(oracle.output(model, x), before, rtol=1e-4, atol=1e-4)


def test_weights_and_biases_that_are_computed_are_left_alone() -> None:
    for computed in ("weight", "bias"):
        network = Network(3)
        weight, bias = random(5, 3, 3, 3), random(5, seed=4)
        inputs = {"weight": network.constant(weight), "bias": network.constant(bias)}
        inputs[computed] = network.op("Neg", inputs[computed])
        conv = network.conv(network.x, inputs["weight"], inputs["bias"])
        model = network.model(add_norm(network, conv))
        x = random(1, 3, 4, 4)
        before = oracle.output(model, x)
        FoldBatchNormPass()(model)
        assert operators(model) == {"Neg": 1, "Conv": 1, "Mul": 1, "Add": 1}
        np.testing.assert_allclose(oracle.output(model, x), before, rtol=1e-4, atol=1e-4)


def test_postcondition() -> None:
    network = Network(5)
    model = network.model(add_norm(network, network.x))
    with pytest.raises(ir.passes.PostconditionError, match="BatchNormalization is left"):
        FoldBatchNormPass().ensures(model)
