from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir
import pytest
import torch
from hypothesis import given

from exporter.convolutions import CALM, Drawn, convolutions, execute
from exporter.networks import Network, random, random_codes
from gdq_exporter.errors import ExportError
from gdq_exporter.ir import forms
from gdq_exporter.ir.forms import Form, Layer


def layer_of(value: ir.Value) -> Layer:
    layer = forms.read(value.producer())
    assert layer is not None
    return layer


@CALM
@given(drawn=convolutions(transposed=None))
def test_a_form_is_all_that_a_convolution_needs(drawn: Drawn) -> None:
    """torch, told nothing but the form, computes what ONNX's evaluator does with the node."""
    network = Network(drawn.inputs)
    conv = drawn.add_to(network, network.x)
    model, layer = network.model(conv), layer_of(conv)
    if layer.form.pads is None:
        assert drawn.attributes["auto_pad"].startswith("SAME")
        assert drawn.attributes["strides"] != (1, 1)
        return
    expected = execute(drawn, model)[0]
    np.testing.assert_allclose(run(layer, drawn.x), expected, rtol=1e-4, atol=1e-4)


def run(layer: Layer, x: Any) -> Any:
    form, weight, bias = layer.form, layer.real_weight, layer.constant_bias
    assert form.pads is not None
    assert weight is not None
    assert bias is not None
    image, kernel = torch.tensor(x), torch.tensor(weight)
    offset = torch.tensor(np.zeros(layer.outputs, np.float32) + bias)
    walk: Any = {"stride": form.strides, "dilation": form.dilations, "groups": form.group}
    top, left, bottom, right = form.pads
    if form.operator == "Conv":
        padded = torch.nn.functional.pad(image, (left, right, top, bottom))
        return torch.nn.functional.conv2d(padded, kernel, offset, **walk).numpy()
    whole = torch.nn.functional.conv_transpose2d(image, kernel, offset, **walk).numpy()
    return whole[..., top : whole.shape[2] - bottom, left : whole.shape[3] - right]


@CALM
@given(drawn=convolutions(transposed=None))
def test_numbers_along_outputs_scale_the_outputs(drawn: Drawn) -> None:
    network = Network(drawn.inputs)
    plain = drawn.add_to(network, network.x)
    layer = layer_of(plain)
    assert layer.outputs == drawn.outputs
    if drawn.has_bias:
        return
    factors = drawn.per_output(seed=5)
    assert layer.real_weight is not None
    weight = network.constant(layer.real_weight * layer.along_outputs(factors))
    scaled = network.op(layer.form.operator, network.x, weight, **drawn.attributes)
    before, after = execute(drawn, network.model(plain, scaled))
    np.testing.assert_allclose(after, before * factors[:, None, None], rtol=1e-4, atol=1e-4)


@CALM
@given(drawn=convolutions(transposed=None))
def test_a_densified_convolution_computes_the_same(drawn: Drawn) -> None:
    network = Network(drawn.inputs)
    grouped = drawn.add_to(network, network.x)
    layer = layer_of(grouped)
    assert layer.real_weight is not None
    inputs = [network.x, network.constant(forms.densify(layer.real_weight, layer.form)), layer.bias]
    attributes = {**drawn.attributes, "group": 1}
    dense = network.op(layer.form.operator, *inputs, **attributes)
    before, after = execute(drawn, network.model(grouped, dense))
    np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("transposed", [0, 1])
def test_a_product_with_a_matrix_is_a_layer(transposed: int) -> None:
    network = Network(3)
    weight, bias = random(4, 7), random(7)
    stored = weight.T if transposed else weight
    inputs = [network.x, network.constant(stored), network.constant(bias)]
    layer = layer_of(network.op("Gemm", *inputs, transB=transposed))
    assert (layer.outputs, layer.weights, str(layer.form)) == (7, 28, "a product with a matrix")
    factors = random(7, seed=1)
    expected = (weight * factors).T if transposed else weight * factors
    np.testing.assert_array_equal(stored * layer.along_outputs(factors), expected)
    assert layer_of(network.op("MatMul", network.x, network.constant(weight))).outputs == 7
    # Attention multiplies two values; neither of them is a weight.
    assert forms.read(network.op("MatMul", network.x, network.x).producer()) is None


def test_a_layer_has_the_name_that_the_checkpoint_gave_it() -> None:
    network = Network(4)
    weight = network.constant(random(4, 2, 3, 3))
    weight.name = "network.body.0.conv1.weight"
    conv = network.op("Conv", network.x, network.op("Neg", weight), group=2, strides=(2, 1))
    assert forms.read(conv.producer()) is None, "nobody knows the shape of its weight"
    conv = network.op("Conv", network.x, weight, group=2, strides=(2, 1))
    told = "layer 'body.0.conv1', a 3x3 convolution with 2 groups, strides 2x1, pads (0, 0, 0, 0)"
    assert str(layer_of(conv)) == told


def test_forms_tell_what_they_are() -> None:
    same = Form("Conv", (3, 3), pads=(1, 1, 1, 1))
    assert (str(same), same.is_plain, same.is_dense) == ("a 3x3 convolution", True, True)
    dilated = Form("Conv", (3, 3), dilations=(2, 2), pads=(2, 2, 2, 2))
    assert (dilated.keeps_size, dilated.is_plain) == (True, False)
    assert not Form("Conv", (3, 3), pads=(1, 1, 1, 0)).keeps_size
    assert not Form("ConvTranspose", (3, 3), pads=(1, 1, 1, 1)).keeps_size
    assert "depend on the size" in str(Form("Conv", (3, 3), pads=None))


@pytest.mark.parametrize(
    ("zero_point", "axis", "is_read"),
    [(None, 0, True), (0, 0, True), (3, 0, False), (None, 1, False)],
)
def test_integer_weights_are_read_as_passes_write_them(
    zero_point: int | None, axis: int, is_read: bool
) -> None:
    network = Network(3)
    codes, steps = network.constant(random_codes(3, 3, 3, 3), np.int8), network.constant([1, 2, 3])
    zeros = [] if zero_point is None else [network.constant([zero_point] * 3, np.int8)]
    weight = network.op("DequantizeLinear", codes, steps, *zeros, axis=axis)
    layer = layer_of(network.conv(network.x, weight))
    assert (layer.integer_weight is not None) == is_read
    assert layer.real_weight is None


def test_biases() -> None:
    network = Network(3)
    bias = random(3)
    computed = network.op("Neg", network.constant(bias))
    for given_bias, expected in [(None, np.zeros(())), (bias, bias), (computed, None)]:
        layer = layer_of(network.conv(network.x, random(3, 3, 3, 3), given_bias))
        np.testing.assert_array_equal(layer.constant_bias, expected)
        assert layer.is_real == (expected is not None)


def test_a_convolution_over_time_is_refused() -> None:
    network = Network(3)
    conv = network.op("Conv", network.x, network.constant(random(3, 3, 3)))
    with pytest.raises(ExportError, match="over 1 dimensions"):
        forms.read(conv.producer())


def test_integer_convs_are_those_with_dequantized_weights() -> None:
    network = Network(3)
    integer = network.conv(network.x, network.integer_weight(random_codes(3, 3, 3, 3), 0.1))
    model = network.model(network.conv(integer, random(3, 3, 3, 3)))
    assert forms.integer_convs(model) == [integer.producer()]
