from __future__ import annotations

import numpy as np
import pytest

from exporter import oracle
from exporter.networks import Array, Network, array, only, operators, random
from gdq_exporter.passes.fold_rescaling import FoldRescalingPass

WEIGHT, BIAS = random(5, 3, 3, 3), random(5, seed=1)
X = random(1, 3, 5, 6, seed=2)


@pytest.mark.parametrize("bias", [None, BIAS])
@pytest.mark.parametrize(("op_type", "constant"), [("Mul", 255.0), ("Div", 255.0), ("Mul", -0.5)])
def test_a_factor_before_a_conv_goes_into_its_weights(
    bias: Array | None, op_type: str, constant: float
) -> None:
    """conv(c x) = (c w) * x + b; the bias stays."""
    network = Network(3)
    scaled = network.op(op_type, network.x, network.constant(constant))
    model = network.model(network.conv(scaled, WEIGHT, bias))
    before = oracle.output(model, X)
    assert FoldRescalingPass()(model).modified
    assert operators(model) == {"Conv": 1}
    factor = constant if op_type == "Mul" else 1 / constant
    np.testing.assert_allclose(array(only(model, "Conv").inputs[1]), WEIGHT * factor, rtol=1e-6)
    np.testing.assert_allclose(oracle.output(model, X), before, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("bias", [None, BIAS])
@pytest.mark.parametrize("shape", [(), (1,), (1, 1, 1, 1)])
def test_a_factor_behind_a_conv_goes_into_weights_and_bias(
    bias: Array | None, shape: tuple[int, ...]
) -> None:
    network = Network(3)
    factor = network.constant(np.full(shape, 255))
    model = network.model(network.op("Mul", network.conv(network.x, WEIGHT, bias), factor))
    before = oracle.output(model, X)
    assert FoldRescalingPass()(model).modified
    assert operators(model) == {"Conv": 1}
    np.testing.assert_allclose(oracle.output(model, X), before, rtol=1e-4, atol=1e-3)


def test_a_factor_of_one_disappears_anywhere() -> None:
    network = Network(3)
    scaled = network.op("Mul", network.op("Relu", network.x), network.constant(1))
    model = network.model(network.op("Add", scaled, network.x))
    before = oracle.output(model, X)
    assert FoldRescalingPass()(model).modified
    assert operators(model) == {"Relu": 1, "Add": 1}
    np.testing.assert_array_equal(oracle.output(model, X), before)


def test_two_factors_in_a_row_both_fold() -> None:
    network = Network(3)
    scaled = network.op("Div", network.x, network.constant(255))
    scaled = network.op("Mul", network.conv(scaled, WEIGHT, BIAS), network.constant(2))
    model = network.model(network.op("Mul", scaled, network.constant(3)))
    before = oracle.output(model, X)
    FoldRescalingPass()(model)
    assert operators(model) == {"Conv": 1}
    np.testing.assert_allclose(oracle.output(model, X), before, rtol=1e-4, atol=1e-4)


def test_two_convs_that_read_it_both_take_it_in() -> None:
    network = Network(3)
    scaled = network.op("Mul", network.x, network.constant(0.25))
    convs = [network.conv(scaled, random(5, 3, 3, 3, seed=seed), BIAS) for seed in (1, 2)]
    model = network.model(network.op("Add", *convs))
    before = oracle.output(model, X)
    assert FoldRescalingPass()(model).modified
    assert operators(model) == {"Conv": 2, "Add": 1}
    np.testing.assert_allclose(oracle.output(model, X), before, rtol=1e-4, atol=1e-5)


def test_stays_where_another_reader_wants_the_product() -> None:
    network = Network(3)
    scaled = network.op("Mul", network.x, network.constant(0.25))
    conv = network.conv(scaled, random(3, 3, 3, 3))
    model = network.model(network.op("Add", conv, scaled))
    assert not FoldRescalingPass()(model).modified


def test_stays_behind_a_conv_that_has_another_reader() -> None:
    network = Network(3)
    conv = network.conv(network.x, WEIGHT)
    model = network.model(network.op("Add", network.op("Mul", conv, network.constant(0.25)), conv))
    assert not FoldRescalingPass()(model).modified


def test_learned_integers_are_never_rescaled() -> None:
    network = Network(3)
    weight = network.weight_quant(WEIGHT, 0.02)
    scaled = network.op("Mul", network.x, network.constant(0.25))
    output = network.op("Mul", network.conv(scaled, weight), network.constant(2))
    model = network.model(output)
    assert not FoldRescalingPass()(model).modified
    assert operators(model) == {"Mul": 2, "WeightQuant": 1, "Conv": 1}


@pytest.mark.parametrize("constant", [0.0, np.array([[[1.0]], [[2.0]], [[3.0]]], np.float32)])
def test_zero_and_factors_per_channel_stay(constant: float | Array) -> None:
    network = Network(3)
    scaled = network.op("Mul", network.x, network.constant(constant))
    model = network.model(network.conv(scaled, WEIGHT))
    assert not FoldRescalingPass()(model).modified


def test_a_computed_bias_is_not_forgotten() -> None:
    network = Network(3)
    conv = network.conv(network.x, WEIGHT, network.op("Neg", network.constant(BIAS)))
    model = network.model(network.op("Mul", conv, network.constant(2)))
    before = oracle.output(model, X)
    FoldRescalingPass()(model)
    np.testing.assert_allclose(oracle.output(model, X), before, rtol=1e-5)
