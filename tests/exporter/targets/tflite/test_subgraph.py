from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx_ir as ir
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from exporter import oracle, traced
from exporter.convolutions import CALM, Drawn, convolutions
from exporter.litert import KERNELS, runner
from exporter.networks import Network, random, random_codes
from exporter.traced import TILE
from factories import sample_tiles
from gdq_core.bit_widths import BIT_WIDTHS, BitWidth
from gdq_exporter.config import PROFILES
from gdq_exporter.errors import ExportError
from gdq_exporter.ir import forms
from gdq_exporter.passes.explicit_bias import ExplicitBiasPass
from gdq_exporter.passes.integer_biases import IntegerBiasesPass
from gdq_exporter.targets.tflite.model_builder import ModelBuilder
from gdq_exporter.targets.tflite.subgraph import add_subgraph

Tile = NDArray[np.uint8]

TILES: Tile = sample_tiles(4, TILE).permute(0, 2, 3, 1).byte().numpy()
EVERY_PIXEL: Tile = np.arange(256 * 3).reshape(1, 16, 16, 3).astype(np.uint8)


def run(model: ir.Model, tile: Tile, kernels: str = "xnnpack") -> NDArray[np.int64]:
    """The written network's picture (height, width, 3)."""
    builder = ModelBuilder()
    add_subgraph(builder.graph("network"), model, tile.shape[1])
    picture = runner(builder.to_bytes(), "network", kernels)(tile=tile)["output"][0]
    assert picture.dtype == np.uint8
    return np.asarray(picture, np.int64)


def expected(model: ir.Model, tile: Tile) -> NDArray[np.int64]:
    """The lowered network's picture by ONNX's reference evaluator."""
    image = oracle.output(model, tile.transpose(0, 3, 1, 2).astype(np.float32))
    return np.asarray(np.clip(np.rint(image[0].transpose(1, 2, 0)), 0, 255), np.int64)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", traced.NETWORKS)
def test_a_written_network_is_the_lowered_one(name: str, profile: str) -> None:
    """EDSR and SRResNet with its PReLUs, each at two widths.

    A code on a rounding boundary may fall either way; a 9x9 kernel shows it to many pixels.
    """
    widths: tuple[BitWidth, ...] = BIT_WIDTHS
    first = traced.NETWORKS.index(name)
    for width in (widths[first % 4], widths[(first + 2) % 4]):
        model = traced.lowered(name, width, profile).model
        for tile in TILES[::2]:
            difference = np.abs(run(model, tile[None]) - expected(model, tile[None]))
            assert (difference > 1).mean() <= 3e-3
            assert (difference != 0).mean() <= 3e-2


def as_codes(
    network: Network, x: ir.Value, step: float, zero_point: int, top: int = 255
) -> ir.Value:
    """Quantizes ``x`` and makes its codes the values."""
    real = network.quantized(x, step, zero_point, top)
    unit = network.op("Div", real, network.constant([step]))
    return network.op("Add", unit, network.constant([zero_point]))


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("bit_width", BIT_WIDTHS)
@settings(max_examples=10)
@given(step=st.floats(0.25, 64), offset=st.integers(0, 255))
def test_a_float_tensor_is_clamped_exactly(
    bit_width: int, signed: bool, kernels: str, step: float, offset: int
) -> None:
    step = float(np.float32(step))
    zero_point, top = (1 << (bit_width - 1) if signed else 0), (1 << bit_width) - 1
    network = Network()
    shifted = network.op("Sub", network.x, network.constant([offset]))
    model = network.model(as_codes(network, shifted, step, zero_point, top))
    real = (EVERY_PIXEL[0].astype(np.float64) - offset) / step
    codes = np.clip(np.rint(real) + zero_point, 0, top)
    sure = np.abs(real - np.floor(real) - 0.5) > 1e-5 * np.maximum(np.abs(real), 1)
    np.testing.assert_array_equal(run(model, EVERY_PIXEL, kernels)[sure], codes[sure])


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("per_channel", [True, False])
@pytest.mark.parametrize("relu", [True, False])
@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("bit_width", BIT_WIDTHS)
def test_an_integer_conv_is_integer_arithmetic(
    bit_width: int, signed: bool, relu: bool, per_channel: bool, kernels: str
) -> None:
    """Level 4 of the numerics contract: exact accumulators, rounded to the bounds of the width."""
    zero_point, top = (1 << (bit_width - 1) if signed else 0), (1 << bit_width) - 1
    weight, bias = random_codes(3, 3, 3, 3), np.array([-900, 0, 5000], np.int32)
    weight_step = np.array([0.01, 0.02, 0.03], np.float32) if per_channel else np.float32(0.02)
    input_step, output_step = np.float32(3.7), np.float32(3)  # no pixel is a tie
    network = Network()
    shifted = network.op("Sub", network.x, network.constant([128]))
    x = network.quantized(shifted, float(input_step), zero_point, top)
    axis: dict[str, Any] = {"axis": 0} if per_channel else {}
    bias_value = network.op(
        "DequantizeLinear",
        network.constant(bias, np.int32),
        network.constant(input_step * weight_step),
        **axis,
    )
    y = network.conv(x, network.integer_weight(weight, weight_step), bias_value)
    y = network.op("Relu", y) if relu else y
    model = network.model(as_codes(network, y, float(output_step), zero_point, top))

    pixels = (EVERY_PIXEL.transpose(0, 3, 1, 2).astype(np.float64) - 128) / input_step
    codes = np.clip(np.rint(pixels) + zero_point, 0, top).astype(np.uint8)
    sums = oracle.accumulate(codes, zero_point, weight, bias)
    factor = np.broadcast_to(input_step * weight_step / output_step, 3).astype(np.float64)
    wanted, tied = oracle.requantize(sums, factor, zero_point, top)
    if relu:
        wanted = np.maximum(wanted, zero_point)
    got = run(model, EVERY_PIXEL, kernels).transpose(2, 0, 1)[None]
    difference = np.abs(got - wanted.astype(np.int64))
    assert difference.max() <= 1
    if kernels == "xnnpack":  # the plain kernels round twice
        assert difference[~tied].max() == 0


def test_one_conv_may_be_quantized_in_two_ways() -> None:
    network = Network()
    x = network.quantized(network.x, 2, 0, 15)
    bias = network.op(
        "DequantizeLinear", network.constant([0] * 3, np.int32), network.constant(0.2)
    )
    y = network.conv(x, network.integer_weight(random_codes(3, 3, 3, 3), 0.1), bias)
    parts = [network.quantized(y, 8, 0, 15), network.quantized(y, 2, 16, 31)]
    model = network.model(network.op("Add", *parts))
    np.testing.assert_array_equal(run(model, EVERY_PIXEL), expected(model, EVERY_PIXEL))


@pytest.mark.parametrize("again", [(0, 15), (16, 31), (0, 31)], ids=str)
@pytest.mark.parametrize("first", [(0, 15), (16, 31)], ids=str)
def test_codes_may_be_quantized_again(first: tuple[int, int], again: tuple[int, int]) -> None:
    """In the same way, which is nothing; to other bounds, though int8's zero points be equal."""
    network = Network()
    shifted = network.op("Sub", network.x, network.constant([100]))
    once = network.quantized(shifted, 3, *first)
    twice = network.quantized(once, 3, *again)
    model = network.model(network.op("Add", twice, network.constant([60])))
    np.testing.assert_array_equal(run(model, EVERY_PIXEL), expected(model, EVERY_PIXEL))


FLOATS: dict[str, Callable[[Network], ir.Value]] = {
    "Add": lambda n: n.op("Add", n.x, n.constant(random(1, 3, 1, 1))),
    "Sub": lambda n: n.op("Sub", n.constant(random(3, 1, 1) + 255), n.x),
    "Mul": lambda n: n.op("Mul", n.x, n.constant([0.5])),
    "Div": lambda n: n.op("Div", n.x, n.constant(random(1, 3, 1, 1) + 4)),
    "Relu": lambda n: n.op("Relu", n.op("Sub", n.x, n.constant([99]))),
    "LeakyRelu": lambda n: n.op("LeakyRelu", _around_zero(n), alpha=-0.5),
    "PRelu": lambda n: n.op("PRelu", _around_zero(n), n.constant([[[-0.5]], [[0.5]], [[-1.0]]])),
    "Clip": lambda n: n.op("Clip", n.x, n.constant(20), n.constant(90)),
    "Clip, no bound": lambda n: n.op("Clip", n.x),
    "Identity": lambda n: n.op("Identity", n.x),
    "strided Conv": lambda n: n.conv(
        n.x, random(12, 3, 3, 3), random(12) + 90, strides=[2, 2], pads=[1, 0, 1, 2]
    ),
    "dilated Conv": lambda n: n.conv(
        n.x, random(3, 3, 3, 3), random(3) + 90, dilations=[2, 2], pads=[2, 2, 2, 2]
    ),
}


@pytest.mark.parametrize("integer", [False, True])
@CALM
@given(drawn=convolutions())
def test_convolutions_of_every_form(integer: bool, drawn: Drawn) -> None:
    """Are written as they are, or refused by name."""
    network = Network()
    spread = network.conv(network.x, _spread(drawn.inputs), np.zeros(drawn.inputs))
    if integer:
        spread = network.quantized(spread, 1, 0)
    conv = drawn.add_to(network, spread, integer_step=0.01 if integer else None)
    wide = network.quantized(conv, 0.5, 128) if integer else conv
    gathered = network.conv(wide, np.full((3, drawn.outputs, 1, 1), 0.3), pads=[0] * 4)
    model = network.model(network.op("Add", gathered, network.constant([128])))
    ExplicitBiasPass()(model)
    IntegerBiasesPass()(model)
    layer = forms.read(conv.producer())
    assert layer is not None
    if not layer.form.is_dense or layer.form.pads is None:
        with pytest.raises(ExportError, match=r"no place for layer 'c\d+', a \dx\d convolution"):
            add_subgraph(ModelBuilder().graph("network"), model, EVERY_PIXEL.shape[1])
        return
    difference = np.abs(run(model, EVERY_PIXEL) - expected(model, EVERY_PIXEL))
    assert (difference > 1).mean() <= 0.01
    assert (difference > 0).mean() <= 0.1


def _spread(channels: int) -> NDArray[np.float32]:
    """A 3x3 kernel that makes every channel of the pixel's own colours, a tenth as strong."""
    weight = np.zeros((channels, 3, 3, 3), np.float32)
    weight[:, :, 1, 1] = random(channels, 3, seed=9) / 10
    return weight


def _around_zero(network: Network) -> ir.Value:
    return network.op("Sub", network.x, network.constant([99]))


@pytest.mark.parametrize("name", FLOATS)
def test_float_operators(name: str) -> None:
    network = Network()
    image = FLOATS[name](network)
    if name == "strided Conv":
        image = network.op("DepthToSpace", image, blocksize=2, mode="DCR")
    model = network.model(image)
    difference = np.abs(run(model, EVERY_PIXEL) - expected(model, EVERY_PIXEL))
    assert difference.max() <= 1
    assert (difference != 0).mean() < 0.01  # halves, which a last bit decides


REFUSED: dict[str, tuple[str, Callable[[Network], ir.Value]]] = {
    "operator": ("Sigmoid cannot be written", lambda n: n.op("Sigmoid", n.x)),
    "groups": (
        "no place for layer 'c0', a 3x3 convolution with 3 groups",
        lambda n: n.conv(n.x, random(3, 1, 3, 3), random(3), group=3),
    ),
    "padding": (
        "a 3x3 convolution with strides 2x2, pads that depend on the size of its input",
        lambda n: n.conv(n.x, random(3, 3, 3, 3), random(3), auto_pad="SAME_UPPER", strides=[2, 2]),
    ),
    "weights": (
        "computes its own weights",
        lambda n: n.conv(n.x, n.op("Relu", n.constant(random(3, 3, 3, 3))), random(3)),
    ),
    "slopes": (
        "computes its own slopes",
        lambda n: n.op("PRelu", n.x, n.op("Relu", n.constant(random(3, 1, 1)))),
    ),
    "order": (
        "pixel shuffle",
        lambda n: n.op(
            "DepthToSpace", n.conv(n.x, random(12, 3, 3, 3), random(12)), blocksize=2, mode="CRD"
        ),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_written_is_one_sentence(case: str) -> None:
    sentence, build = REFUSED[case]
    network = Network()
    model = network.model(build(network))
    with pytest.raises(ExportError, match=f"{sentence}.*choose --formats onnx"):
        add_subgraph(ModelBuilder().graph("network"), model, 16)
