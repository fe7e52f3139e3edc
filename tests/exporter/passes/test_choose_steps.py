from __future__ import annotations

import numpy as np
import onnx_ir as ir
import pytest

from exporter import oracle
from exporter.networks import Network, operators, random, random_codes
from gdq_exporter.ir import quantization
from gdq_exporter.ir.quantization import QuantizationPoint
from gdq_exporter.passes.choose_steps import IMAGE_POINT, ChooseStepsPass, unquantized

SIGNED = QuantizationPoint(np.float32(0.05), 128)
UNSIGNED = QuantizationPoint(np.float32(0.04), 0)
X = random(1, 3, 5, 6)


def integer_conv(network: Network, x: ir.Value, outputs: int = 3, inputs: int = 3) -> ir.Value:
    codes = random_codes(outputs, inputs, 3, 3)
    return network.conv(x, network.integer_weight(codes, 0.002), random(outputs))


def choose(model: ir.Model, *points: QuantizationPoint) -> None:
    """Runs the pass with a point for each value that needs one, in graph order."""
    names = [value.name for value in unquantized(model)]
    assert len(names) == len(points)
    assert None not in names
    chosen = {str(name): point for name, point in zip(names, points, strict=True)}
    ChooseStepsPass(chosen)(model)


def point_before(model: ir.Model, op_type: str) -> QuantizationPoint | None:
    """How the input of the only node of an operator is quantized."""
    (node,) = (node for node in model.graph if node.op_type == op_type)
    return quantization.read(node.inputs[0])


def test_input_and_output_of_an_integer_conv() -> None:
    network = Network(3)
    features = network.op("Neg", network.x)
    conv = integer_conv(network, features)
    model = network.model(network.op("Add", conv, features))
    choose(model, SIGNED, UNSIGNED)
    assert point_before(model, "Conv") == SIGNED
    assert point_before(model, "Add") == UNSIGNED
    assert operators(model)["QuantizeLinear"] == 2


def test_the_lowered_conv_equals_integer_arithmetic() -> None:
    """Exact accumulators, requantized half to even, give the stored codes but at true ties."""
    network = Network(3)
    features = network.op("Neg", network.x)
    conv = integer_conv(network, features)
    model = network.model(network.op("Neg", conv))
    codes, bias = random_codes(3, 3, 3, 3), random(3)
    choose(model, SIGNED, SIGNED)
    image = oracle.output(model, X)
    stored = np.clip(np.rint(-X / SIGNED.step) + 128, 0, 255).astype(np.uint8)
    unit = float(SIGNED.step) * float(np.float32(0.002))
    sums = oracle.accumulate(stored, 128, codes, np.zeros(3, np.int32))
    real = sums * unit + bias.astype(np.float64)[:, None, None]
    expected = np.clip(np.rint(real / float(SIGNED.step)) + 128, 0, 255) - 128
    tied = np.abs(real / float(SIGNED.step) % 1 - 0.5) < 1e-4
    np.testing.assert_allclose(image[~tied], (-expected * SIGNED.step)[~tied], atol=1e-5)


def test_a_learned_quantizer_needs_nothing() -> None:
    """Neither before the conv nor behind its ReLU."""
    network = Network(3)
    conv = integer_conv(network, network.quantized(network.x, 0.1, 128, top=15))
    activated = network.op("Relu", conv)
    model = network.model(network.op("Neg", network.quantized(activated, 0.1, 0, top=15)))
    assert unquantized(model) == []
    before = operators(model)
    assert not ChooseStepsPass({})(model).modified
    assert operators(model) == before


def test_an_output_with_a_reader_beside_the_learned_quantizer_needs_one() -> None:
    network = Network(3)
    conv = integer_conv(network, network.quantized(network.x, 0.1, 128))
    learned = network.quantized(conv, 0.2, 128, top=15)
    model = network.model(network.op("Add", learned, conv))
    assert unquantized(model) == [conv]


def test_a_relu_behind_the_conv_is_quantized_in_its_place() -> None:
    """ONNX Runtime fuses the ReLU only if nothing stands between."""
    network = Network(3)
    conv = integer_conv(network, network.quantized(network.x, 0.1, 128))
    activated = network.op("Relu", conv)
    model = network.model(network.op("Neg", activated))
    assert unquantized(model) == [activated]
    choose(model, UNSIGNED)
    assert point_before(model, "Neg") == UNSIGNED
    assert conv.consumers()[0].op_type == "Relu"


def test_a_relu_with_a_sibling_is_not_the_conv_s() -> None:
    network = Network(3)
    conv = integer_conv(network, network.quantized(network.x, 0.1, 128))
    model = network.model(network.op("Add", network.op("Relu", conv), conv))
    assert unquantized(model) == [conv]


def test_a_pixel_shuffle_moves_codes() -> None:
    """Both its sides carry the same step, and the conv behind it asks for none."""
    network = Network(3)
    conv = integer_conv(network, network.quantized(network.x, 0.1, 128), outputs=12)
    shuffled = network.op("DepthToSpace", conv, blocksize=2)
    behind = integer_conv(network, shuffled)
    model = network.model(network.op("Neg", behind))
    assert unquantized(model) == [conv, behind]
    choose(model, SIGNED, UNSIGNED)
    shuffle = next(node for node in model.graph if node.op_type == "DepthToSpace")
    second = [node for node in model.graph if node.op_type == "Conv"][1]
    assert quantization.read(shuffle.inputs[0]) == SIGNED
    assert quantization.read(second.inputs[0]) == SIGNED


def test_a_shuffle_of_float_features_is_quantized_before_it() -> None:
    network = Network(4)
    features = network.op("Neg", network.x)
    conv = integer_conv(network, network.op("DepthToSpace", features, blocksize=2), inputs=1)
    model = network.model(network.op("Neg", conv))
    assert unquantized(model) == [features, conv]
    choose(model, SIGNED, UNSIGNED)
    assert point_before(model, "Conv") == SIGNED
    assert point_before(model, "DepthToSpace") == SIGNED


def test_an_image_s_codes_are_its_pixels() -> None:
    network = Network(3)
    model = network.model(integer_conv(network, network.quantized(network.x, 0.1, 128)))
    assert unquantized(model) == []
    assert ChooseStepsPass({})(model).modified
    output = model.graph.outputs[0]
    assert quantization.read(output) == IMAGE_POINT
    assert output.name == "output"
    image = oracle.output(model, X * 1000)
    np.testing.assert_array_equal(image, np.clip(np.rint(image), 0, 255))


def test_float_convs_need_nothing() -> None:
    network = Network(3)
    model = network.model(network.conv(network.x, random(3, 3, 3, 3)))
    assert unquantized(model) == []


def test_postcondition() -> None:
    network = Network(3)
    features = network.op("Neg", network.x)
    model = network.model(network.op("Neg", integer_conv(network, features)))
    with pytest.raises(ir.passes.PostconditionError, match="has no quantization"):
        ChooseStepsPass({}).ensures(model)
