from __future__ import annotations

import numpy as np
import pytest

from exporter import oracle
from exporter.networks import Array, Network, array, only, operators, random
from gdq_exporter.passes.fold_offset import FoldOffsetPass

WEIGHT = random(5, 3, 3, 3)


@pytest.mark.parametrize("bias", [None, random(5, seed=1)])
@pytest.mark.parametrize("offset", [random(1, 5, 1, 1, seed=2), random(5, 1, 1, seed=2), 3.5])
@pytest.mark.parametrize("constant_first", [False, True])
def test_goes_into_the_bias(
    bias: Array | None, offset: Array | float, constant_first: bool
) -> None:
    network = Network(3)
    inputs = [network.conv(network.x, WEIGHT, bias), network.constant(offset)]
    model = network.model(network.op("Add", *inputs[:: -1 if constant_first else 1]))
    x = random(1, 3, 5, 6, seed=3)
    before = oracle.output(model, x)
    assert FoldOffsetPass()(model).modified
    assert operators(model) == {"Conv": 1}
    expected = (0 if bias is None else bias) + np.broadcast_to(np.ravel(offset), 5)
    np.testing.assert_allclose(array(only(model, "Conv").inputs[2]), expected, rtol=1e-6)
    np.testing.assert_allclose(oracle.output(model, x), before, rtol=1e-4, atol=1e-5)


def test_quantized_weights_do_not_matter() -> None:
    network = Network(3)
    conv = network.conv(network.x, network.weight_quant(WEIGHT, 0.02))
    model = network.model(network.op("Add", conv, network.constant(random(5, 1, 1))))
    x = random(1, 3, 5, 6, seed=3)
    before = oracle.output(model, x)
    assert FoldOffsetPass()(model).modified
    assert operators(model) == {"WeightQuant": 1, "Conv": 1}
    np.testing.assert_allclose(oracle.output(model, x), before, rtol=1e-4, atol=1e-5)


def test_two_offsets_in_a_row_both_fold() -> None:
    network = Network(3)
    first = network.op("Add", network.conv(network.x, WEIGHT), network.constant(1))
    model = network.model(network.op("Add", first, network.constant(random(5, 1, 1))))
    x = random(1, 3, 5, 6, seed=3)
    before = oracle.output(model, x)
    FoldOffsetPass()(model)
    assert operators(model) == {"Conv": 1}
    np.testing.assert_allclose(oracle.output(model, x), before, rtol=1e-4, atol=1e-5)


def test_an_offset_before_a_conv_stays() -> None:
    """The conv pads with zeros, not with the offset."""
    network = Network(3)
    shifted = network.op("Add", network.x, network.constant(random(3, 1, 1)))
    model = network.model(network.conv(shifted, WEIGHT))
    assert not FoldOffsetPass()(model).modified
    assert operators(model) == {"Add": 1, "Conv": 1}


def test_what_is_no_offset_per_channel_stays() -> None:
    for constant in (random(1, 1, 5, 5), random(2, 5, 1, 1), random(1, 1, 1, 5)):
        network = Network(3)
        conv = network.conv(network.x, WEIGHT)
        model = network.model(network.op("Add", conv, network.constant(constant)))
        assert not FoldOffsetPass()(model).modified


def test_a_conv_with_a_second_reader_is_left_alone() -> None:
    network = Network(3)
    conv = network.conv(network.x, WEIGHT, random(5))
    shifted = network.op("Add", conv, network.constant(random(5, 1, 1)))
    model = network.model(network.op("Mul", shifted, conv))
    assert not FoldOffsetPass()(model).modified


def test_a_computed_bias_is_left_alone() -> None:
    network = Network(3)
    bias = network.op("Neg", network.constant(random(5)))
    conv = network.conv(network.x, WEIGHT, bias)
    model = network.model(network.op("Add", conv, network.constant(random(5, 1, 1))))
    assert not FoldOffsetPass()(model).modified


def test_a_sum_of_two_convs_is_no_offset() -> None:
    network = Network(3)
    convs = [network.conv(network.x, random(5, 3, 3, 3, seed=seed)) for seed in (1, 2)]
    model = network.model(network.op("Add", *convs))
    assert not FoldOffsetPass()(model).modified
