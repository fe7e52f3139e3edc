from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import pytest
import torch
from numpy.typing import NDArray

from exporter import oracle
from exporter.networks import Network, array, operators
from exporter.traced import NETWORKS, TILE, lowered, network, traced
from factories import sample_tiles
from gdq_core.bit_widths import BIT_WIDTHS, BitWidth
from gdq_exporter.config import PROFILES
from gdq_exporter.ir import editing, forms, quantization
from gdq_exporter.ir.quantization import QuantizationPoint
from gdq_exporter.lowering import lower_shared
from gdq_exporter.passes.order import integer_passes, shared_passes, step_passes, width_passes
from gdq_models import ActivationQuantizer, integer_range

FLOAT_TAIL = "stream_float-tail_float"
PICTURE = sample_tiles(16, TILE)[7:8]


def reference(name: str, bit_width: int) -> NDArray[np.float32]:
    """What torch makes of the picture."""
    route = network(name).route_for(torch.tensor([bit_width]))
    with torch.inference_mode():
        upscaled: NDArray[np.float32] = network(name)(PICTURE, route).numpy()
    return upscaled


def learned_codes(name: str, bit_width: int) -> list[NDArray[np.int64]]:
    """The integers of every activation quantizer in torch, counted from the lowest."""
    codes: list[NDArray[np.int64]] = []

    def remember(quantizer: ActivationQuantizer, _: object, quantized: torch.Tensor) -> None:
        step = quantizer.steps[BIT_WIDTHS.index(bit_width)]
        low, _high = integer_range(bit_width, signed=quantizer.is_signed)
        codes.append((torch.round(quantized / step) - low).long().numpy())

    quantizers = [m for m in network(name).modules() if isinstance(m, ActivationQuantizer)]
    hooks = [quantizer.register_forward_hook(remember) for quantizer in quantizers]
    reference(name, bit_width)
    for hook in hooks:
        hook.remove()
    return codes


@pytest.mark.parametrize("bit_width", BIT_WIDTHS)
@pytest.mark.parametrize("name", NETWORKS)
def test_learned_codes_are_those_of_torch(name: str, bit_width: BitWidth) -> None:
    """Before any step is calibrated: the same integers in every layer, hence the same image."""
    model = lower_shared(traced(name), PROFILES[FLOAT_TAIL])
    for lowering_pass in width_passes(bit_width):
        model = lowering_pass(model).model
    points = [node for node in model.graph if node.op_type == "DequantizeLinear"]
    stored = [node.inputs[0] for node in points if quantization.read(node.outputs[0])]
    inside = tuple(value for value in stored if value is not None)
    image, *codes = oracle.execute(model, PICTURE.numpy(), also=inside)
    expected = learned_codes(name, bit_width)
    assert len(codes) == len(expected) == 2 * network(name).blocks
    for ours, theirs in zip(codes, expected, strict=True):
        # Float rounding may push a value over the edge between two codes.
        difference = np.abs(ours.astype(int) - theirs)
        assert difference.max() <= 1
        assert (difference > 0).mean() < 1e-3
    error = np.abs(image - reference(name, bit_width))
    assert np.median(error) < 1e-3
    assert error.mean() < 0.05


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", NETWORKS)
def test_lowered_networks_stay_close_to_torch(name: str, profile: str) -> None:
    """Calibrated 8-bit steps cost little: on average under two per cent of the contrast."""
    model = lowered(name, 8, profile).model
    expected = reference(name, 8)
    error = np.abs(oracle.output(model, PICTURE.numpy()) - expected)
    assert error.mean() < 0.02 * expected.std()


@pytest.mark.parametrize("name", ["edsr x2", "srresnet x2"])
@pytest.mark.parametrize("profile", PROFILES)
def test_which_convs_are_integer(name: str, profile: str) -> None:
    """The learned ones; with an integer tail also the body's end and SRResNet's upsampler."""
    model = lowered(name, 4, profile).model
    behind = {"edsr x2": 1, "srresnet x2": 2}[name] if PROFILES[profile].integer_tail else 0
    assert len(forms.integer_convs(model)) == 2 * network(name).blocks + behind


@pytest.mark.parametrize("bit_width", BIT_WIDTHS)
@pytest.mark.parametrize("name", ["edsr x2", "srresnet x2"])
def test_integer_convs_equal_integer_arithmetic(name: str, bit_width: BitWidth) -> None:
    """ONNX Runtime's codes: exact accumulators, requantized half to even, but at true ties."""
    model = lowered(name, bit_width).model
    convs = forms.integer_convs(model)
    inputs = [_codes(conv.inputs[0]) for conv in convs]
    outputs = [_quantizer_behind(conv) for conv in convs]
    observed = _run_optimized(model, [*inputs, *(node.outputs[0] for node in outputs)])
    for conv, before, after in zip(convs, inputs, outputs, strict=True):
        point = quantization.read(conv.inputs[0])
        assert point is not None
        weight, bias = (_constants(conv.inputs[index]) for index in (1, 2))
        sums = oracle.accumulate(observed[before.name], point.zero_point, weight[0], bias[0])
        if conv.outputs[0].consumers()[0].op_type == "Relu":
            sums = np.maximum(sums, 0)
        step, zero_point = (array(value) for value in after.inputs[1:])
        unit = np.broadcast_to(bias[1].astype(np.float64), sums.shape[1]) / float(step)
        codes, tied = oracle.requantize(sums, unit, int(zero_point))
        got = observed[after.outputs[0].name]
        np.testing.assert_array_equal(got[~tied], codes[~tied])
        assert np.abs(got.astype(int) - codes.astype(int)).max() <= 1


def _codes(value: ir.Value | None) -> ir.Value:
    assert value is not None
    dequantize = value.producer()
    assert dequantize is not None
    return editing.input_of(dequantize, 0)


def _constants(value: ir.Value | None) -> list[NDArray[Any]]:
    """Codes and step of a dequantized constant."""
    assert value is not None
    dequantize = value.producer()
    assert dequantize is not None
    return [array(constant) for constant in dequantize.inputs[:2]]


def _quantizer_behind(conv: ir.Node) -> ir.Node:
    reader = conv.outputs[0].consumers()[0]
    if reader.op_type == "Relu":
        reader = reader.outputs[0].consumers()[0]
    assert reader.op_type == "QuantizeLinear"
    return reader


def _run_optimized(model: ir.Model, values: list[ir.Value]) -> dict[str | None, NDArray[np.uint8]]:
    """Codes inside a network that ONNX Runtime runs with all optimizations."""
    proto = ir.to_proto(model)
    names = list(dict.fromkeys(value.name for value in values))
    for name in names:
        proto.graph.output.add().name = str(name)
    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    results = session.run(names, {session.get_inputs()[0].name: PICTURE.numpy()})
    return dict(zip(names, results, strict=True))


def test_nothing_to_do_is_nothing_done() -> None:
    """Every pass says truthfully that it changed nothing."""
    point = QuantizationPoint(np.float32(1), 0)
    passes = [*shared_passes(integer_tail=True), *width_passes(4), *step_passes({"none": point})]
    for lowering_pass in [*passes, *integer_passes()]:
        builder = Network(3)
        model = builder.model(builder.op("Relu", builder.x))
        assert not lowering_pass(model).modified
        assert operators(model) == {"Relu": 1}
