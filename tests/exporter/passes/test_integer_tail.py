from __future__ import annotations

import numpy as np
import onnx_ir as ir
import pytest

from exporter import oracle
from exporter.networks import Network, array, operators, random, random_codes
from gdq_exporter.ir import editing, forms
from gdq_exporter.passes.integer_tail import IntegerTailPass

CHANNELS = 4
WEIGHTS = {
    "head": random(CHANNELS, 3, 3, 3, seed=1),
    "body_end": random(CHANNELS, CHANNELS, 3, 3, seed=2),
    "up": random(CHANNELS * 4, CHANNELS, 3, 3, seed=3),
    "tail": random(3, CHANNELS, 3, 3, seed=4),
}


def whole_network() -> tuple[ir.Model, dict[str, ir.Value]]:
    """Head, one integer conv, body end, skip, upsampler, tail; and the outputs of the convs."""
    network, convs = Network(3), {}
    convs["head"] = head = network.conv(network.x, WEIGHTS["head"])
    weight = network.integer_weight(random_codes(CHANNELS, CHANNELS, 3, 3), 0.01)
    convs["body"] = network.conv(network.quantized(head, 0.05, 128), weight)
    convs["body_end"] = network.conv(convs["body"], WEIGHTS["body_end"])
    convs["up"] = network.conv(network.op("Add", convs["body_end"], head), WEIGHTS["up"])
    x = network.op("DepthToSpace", convs["up"], blocksize=2)
    convs["tail"] = network.conv(network.op("LeakyRelu", x, alpha=0.1), WEIGHTS["tail"])
    return network.model(convs["tail"]), convs


def conv_of(value: ir.Value) -> ir.Node:
    conv = value.producer()
    assert conv is not None
    return conv


def test_head_and_pixel_maker_stay_float() -> None:
    model, convs = whole_network()
    assert IntegerTailPass()(model).modified
    integer = {name for name, out in convs.items() if forms.is_integer_conv(conv_of(out))}
    assert integer == {"body", "body_end", "up"}
    np.testing.assert_array_equal(array(conv_of(convs["tail"]).inputs[1]), WEIGHTS["tail"])


@pytest.mark.parametrize("name", ["body_end", "up"])
def test_weights_are_rounded_per_output_channel(name: str) -> None:
    """Step max|w| / 127 of each channel, so the largest weight is +-127 and none is further off."""
    model, convs = whole_network()
    IntegerTailPass()(model)
    dequantize = editing.input_of(conv_of(convs[name]), 1).producer()
    assert dequantize is not None
    codes, step = (array(value) for value in dequantize.inputs)
    np.testing.assert_allclose(step, np.abs(WEIGHTS[name]).max(axis=(1, 2, 3)) / 127, rtol=1e-6)
    assert codes.dtype == np.int8
    assert (np.abs(codes).max(axis=(1, 2, 3)) == 127).all()
    error = np.abs(codes * step[:, None, None, None] - WEIGHTS[name])
    assert (error.max(axis=(1, 2, 3)) <= step / 2 * (1 + 1e-5)).all()
    assert dequantize.attributes.get_int("axis", 1) == 0


def test_the_image_hardly_changes() -> None:
    model, _ = whole_network()
    x = random(1, 3, 6, 7)
    before = oracle.output(model, x)
    IntegerTailPass()(model)
    after = oracle.output(model, x)
    assert np.abs(after - before).mean() < 0.02 * np.abs(before).mean()


@pytest.mark.parametrize("weight", [0, 1e-43])
def test_a_channel_of_nothing_has_a_step_that_can_be_divided_by(weight: float) -> None:
    network = Network(3)
    body = network.conv(network.x, network.integer_weight(random_codes(4, 3, 3, 3), 0.01))
    weights = random(5, 4, 3, 3)
    weights[2] = weight
    behind = network.conv(body, weights)
    model = network.model(network.conv(behind, random(3, 5, 3, 3)))
    IntegerTailPass()(model)
    dequantize = editing.input_of(conv_of(behind), 1).producer()
    assert dequantize is not None
    assert array(dequantize.inputs[1])[2] == 1
    assert not array(dequantize.inputs[0])[2].any()


def test_all_last_convs_make_pixels() -> None:
    """Two branches that are added: the last conv of each stays float."""
    network = Network(3)
    body = network.conv(network.x, network.integer_weight(random_codes(4, 3, 3, 3), 0.01))
    branches = [network.conv(body, random(3, 4, 3, 3, seed=seed)) for seed in (1, 2)]
    model = network.model(network.op("Add", *branches))
    assert not IntegerTailPass()(model).modified


def test_a_float_network_stays_float() -> None:
    network = Network(3)
    x = network.conv(network.x, random(4, 3, 3, 3))
    model = network.model(network.conv(x, random(3, 4, 3, 3)))
    assert not IntegerTailPass()(model).modified
    assert operators(model) == {"Conv": 2}
