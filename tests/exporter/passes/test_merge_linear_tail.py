from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter import oracle
from exporter.networks import Network, array, only, operators, random
from gdq_exporter.passes.merge_linear_tail import MergeLinearTailPass

CHANNELS = 4
SIDES = st.integers(4, 12)
"""From the smallest tile of the predictor on; the merged kernel has 5x5."""


def tail(
    network: Network,
    x: ir.Value,
    blocks: tuple[int, ...],
    mode: str = "CRD",
    last: dict[str, Any] | None = None,
) -> ir.Value:
    """Conv and pixel shuffle for each block, then the conv that makes the image."""
    for number, block in enumerate(blocks):
        outputs = CHANNELS * block**2
        weight = random(outputs, CHANNELS, 3, 3, seed=number)
        x = network.conv(x, weight, random(outputs, seed=10 + number))
        x = network.op("DepthToSpace", x, blocksize=block, mode=mode)
    return network.conv(x, random(3, CHANNELS, 3, 3, seed=20), random(3, seed=21), **(last or {}))


@pytest.mark.parametrize("mode", ["CRD", "DCR"])
@pytest.mark.parametrize("blocks", [(2,), (3,), (2, 2)], ids=["x2", "x3", "x4"])
@settings(max_examples=6)
@given(height=SIDES, width=SIDES)
def test_is_exact_everywhere(blocks: tuple[int, ...], mode: str, height: int, width: int) -> None:
    """Inside, along each border and in each corner; also where borders are close together."""
    network = Network(CHANNELS)
    model = network.model(tail(network, network.x, blocks, mode))
    x = random(1, CHANNELS, height, width, seed=height * 100 + width)
    before = oracle.output(model, x)
    assert MergeLinearTailPass()(model).modified
    after = oracle.output(model, x)
    assert after.shape == before.shape == (1, 3, *(np.prod(blocks) * n for n in (height, width)))
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-5 * np.abs(before).max())


@pytest.mark.parametrize("blocks", [(2,), (3,), (2, 2)], ids=["x2", "x3", "x4"])
def test_leaves_one_operator_and_one_pixel_shuffle(blocks: tuple[int, ...]) -> None:
    network = Network(CHANNELS)
    model = network.model(tail(network, network.op("Relu", network.x), blocks))
    output = model.graph.outputs[0]
    MergeLinearTailPass()(model)
    assert operators(model) == {"Relu": 1, "MergedTail": 1, "DepthToSpace": 1}
    subpixels = 3 * int(np.prod(blocks)) ** 2
    weight, bias = (array(value) for value in only(model, "MergedTail").inputs[1:])
    assert weight.shape == (9, subpixels, CHANNELS, 5, 5)
    assert bias.shape == (9, subpixels)
    assert model.graph.outputs[0].name == "output"
    assert output.name != "output"


def test_starts_behind_what_is_not_linear() -> None:
    """An activation before or behind the first shuffle of x4: the second one still merges."""
    for activation_first in (True, False):
        network = Network(CHANNELS)
        x = network.conv(network.x, random(CHANNELS * 4, CHANNELS, 3, 3, seed=7))
        steps = ["Relu", "DepthToSpace"] if activation_first else ["DepthToSpace", "Relu"]
        for op_type in steps:
            if op_type == "DepthToSpace":
                x = network.op(op_type, x, blocksize=2, mode="CRD")
            else:
                x = network.op(op_type, x)
        model = network.model(tail(network, x, (2,)))
        pixels = random(1, CHANNELS, 5, 6)
        before = oracle.output(model, pixels)
        assert MergeLinearTailPass()(model).modified
        assert operators(model)["DepthToSpace"] == 2
        after = oracle.output(model, pixels)
        np.testing.assert_allclose(after, before, rtol=0, atol=1e-5 * np.abs(before).max())


def test_an_activation_in_between_keeps_the_tail() -> None:
    network = Network(CHANNELS)
    x = network.conv(network.x, random(16, CHANNELS, 3, 3), random(16))
    x = network.op("DepthToSpace", x, blocksize=2, mode="CRD")
    x = network.op("PRelu", x, network.constant(0.1))
    model = network.model(network.conv(x, random(3, CHANNELS, 3, 3), random(3)))
    before = operators(model)
    assert not MergeLinearTailPass()(model).modified
    assert operators(model) == before


@pytest.mark.parametrize("read_twice", ["the conv's output", "the shuffle's output"])
@pytest.mark.parametrize("by", ["a node", "the caller"])
def test_a_second_reader_keeps_the_tail(read_twice: str, by: str) -> None:
    network = Network(CHANNELS)
    conv = network.conv(network.x, random(16, CHANNELS, 3, 3), random(16))
    shuffle = network.op("DepthToSpace", conv, blocksize=2, mode="CRD")
    image = network.conv(shuffle, random(3, CHANNELS, 3, 3), random(3))
    value = conv if read_twice == "the conv's output" else shuffle
    model = network.model(image, value if by == "the caller" else network.op("Neg", value))
    assert not MergeLinearTailPass()(model).modified


def test_features_may_have_other_readers() -> None:
    network = Network(CHANNELS)
    features = network.op("Relu", network.x)
    model = network.model(tail(network, features, (2,)), features)
    x = random(1, CHANNELS, 6, 5)
    before = oracle.execute(model, x)
    assert MergeLinearTailPass()(model).modified
    for new, old in zip(oracle.execute(model, x), before, strict=True):
        np.testing.assert_allclose(new, old, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    "last",
    [
        {"strides": [2, 2]},
        {"pads": [0, 0, 0, 0]},
        {"dilations": [2, 2], "pads": [1, 1, 1, 1]},
    ],
    ids=["stride", "no padding", "dilation"],
)
def test_other_convs_keep_the_tail(last: dict[str, Any]) -> None:
    network = Network(CHANNELS)
    model = network.model(tail(network, network.x, (2,), last=last))
    assert not MergeLinearTailPass()(model).modified


def test_a_9x9_conv_keeps_the_tail() -> None:
    """SRResNet's."""
    network = Network(CHANNELS)
    x = network.conv(network.x, random(16, CHANNELS, 3, 3), random(16))
    x = network.op("DepthToSpace", x, blocksize=2, mode="CRD")
    weight = random(3, CHANNELS, 9, 9)
    model = network.model(network.conv(x, weight, random(3), pads=[4, 4, 4, 4]))
    assert not MergeLinearTailPass()(model).modified


def test_learned_integers_keep_the_tail() -> None:
    network = Network(CHANNELS)
    weight = network.integer_weight(np.ones((16, CHANNELS, 3, 3)), 0.1)
    x = network.op("DepthToSpace", network.conv(network.x, weight, random(16)), blocksize=2)
    model = network.model(network.conv(x, random(3, CHANNELS, 3, 3), random(3)))
    assert not MergeLinearTailPass()(model).modified


def test_convs_without_a_shuffle_are_not_merged() -> None:
    network = Network(CHANNELS)
    x = network.conv(network.x, random(CHANNELS, CHANNELS, 3, 3), random(CHANNELS))
    model = network.model(network.conv(x, random(3, CHANNELS, 3, 3), random(3)))
    assert not MergeLinearTailPass()(model).modified
