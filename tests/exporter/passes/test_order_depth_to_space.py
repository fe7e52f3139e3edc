from __future__ import annotations

import numpy as np
import pytest

from exporter import oracle
from exporter.networks import Array, Network, array, only, operators, random, random_codes
from gdq_exporter.passes.order_depth_to_space import OrderDepthToSpacePass, dcr_order

X = random(1, 3, 4, 5)


@pytest.mark.parametrize("block", [2, 3])
def test_dcr_order_is_the_permutation_between_the_definitions(block: int) -> None:
    """Pixel (i, j) of channel c: channel (i b + j) C + c in DCR, c b^2 + i b + j in CRD."""
    channels = 3 * block**2
    order = dcr_order(channels, block)
    for row in range(block):
        for column in range(block):
            for channel in range(3):
                dcr = (row * block + column) * 3 + channel
                assert order[dcr] == channel * block**2 + row * block + column


@pytest.mark.parametrize("block", [2, 3])
@pytest.mark.parametrize("bias", [True, False])
def test_permutes_the_conv_before_it(block: int, bias: bool) -> None:
    network, channels = Network(3), 2 * block**2
    offsets = random(channels, seed=1) if bias else None
    conv = network.conv(network.x, random(channels, 3, 3, 3), offsets)
    model = network.model(network.op("DepthToSpace", conv, blocksize=block, mode="CRD"))
    before = oracle.output(model, X)
    assert OrderDepthToSpacePass()(model).modified
    assert only(model, "DepthToSpace").attributes["mode"].as_string() == "DCR"
    assert operators(model) == {"Conv": 1, "DepthToSpace": 1}
    np.testing.assert_allclose(oracle.output(model, X), before, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("step", [0.1, np.arange(1, 9, dtype=np.float32)])
def test_permutes_integers_and_their_steps(step: float | Array) -> None:
    network = Network(3)
    codes = random_codes(8, 3, 3, 3)
    conv = network.conv(network.x, network.integer_weight(codes, step), random(8))
    model = network.model(network.op("DepthToSpace", conv, blocksize=2, mode="CRD"))
    before = oracle.output(model, X)
    assert OrderDepthToSpacePass()(model).modified
    np.testing.assert_array_equal(oracle.output(model, X), before)
    order, stored = dcr_order(8, 2), only(model, "DequantizeLinear")
    np.testing.assert_array_equal(array(stored.inputs[0]), codes[order])
    expected = step[order] if isinstance(step, np.ndarray) else np.float32(step)
    np.testing.assert_array_equal(array(stored.inputs[1]), expected)


def test_a_convolution_that_computes_its_weights_is_left_alone() -> None:
    network = Network(3)
    weight = network.op("Neg", network.constant(random(8, 3, 3, 3)))
    conv = network.conv(network.x, weight, random(8))
    model = network.model(network.op("DepthToSpace", conv, blocksize=2, mode="CRD"))
    assert not OrderDepthToSpacePass()(model).modified


def test_what_does_not_directly_follow_a_conv_stays() -> None:
    network = Network(8)
    model = network.model(network.op("DepthToSpace", network.x, blocksize=2, mode="CRD"))
    assert not OrderDepthToSpacePass()(model).modified


def test_a_conv_with_a_second_reader_is_left_alone() -> None:
    network = Network(3)
    conv = network.conv(network.x, random(8, 3, 3, 3))
    shuffled = network.op("DepthToSpace", conv, blocksize=2, mode="CRD")
    model = network.model(shuffled, conv)
    assert not OrderDepthToSpacePass()(model).modified


def test_dcr_stays_as_it_is() -> None:
    network = Network(3)
    conv = network.conv(network.x, random(8, 3, 3, 3))
    model = network.model(network.op("DepthToSpace", conv, blocksize=2))
    assert not OrderDepthToSpacePass()(model).modified
