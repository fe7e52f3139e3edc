from __future__ import annotations

import numpy as np
import onnx_ir as ir
import pytest

from exporter.networks import Network, operators, random, random_codes
from gdq_exporter.errors import ExportError
from gdq_exporter.ir import quantization
from gdq_exporter.targets.engine.requantization import drop_requantizations


def integer_conv(network: Network, x: ir.Value) -> ir.Value:
    return network.conv(x, network.integer_weight(random_codes(3, 3, 3, 3), 0.1), random(3))


def points(model: ir.Model) -> list[int]:
    """The largest codes of the quantizations that are left, in graph order."""
    read = [quantization.read(n.outputs[0]) for n in model.graph if n.op_type == "DequantizeLinear"]
    return [point.top for point in read if point is not None]


@pytest.mark.parametrize("reader", ["LeakyRelu", "Add", "DepthToSpace", "nothing"])
def test_what_an_operator_in_float_reads_is_dropped(reader: str) -> None:
    network = Network()
    x = integer_conv(network, network.quantized(network.x, 2, 0, 15))
    x = network.quantized(x, 3, 128)
    if reader == "Add":
        x = network.op("Add", x, network.x)
    elif reader != "nothing":
        x = network.op(reader, x)
    model = network.model(x)
    drop_requantizations(model)
    assert points(model) == [15]
    assert operators(model)["QuantizeLinear"] == 1
    assert model.graph.outputs[0].name == "output"


def test_what_an_integer_conv_reads_stays() -> None:
    """Learned codes, and calibrated ones of 8 bits, with and without a ReLU before them."""
    network = Network()
    x = integer_conv(network, network.quantized(network.x, 2, 0, 15))
    x = network.quantized(network.op("Relu", x), 3, 0, 31)
    x = network.quantized(integer_conv(network, x), 5, 128)
    model = network.model(network.op("Relu", integer_conv(network, x)))
    drop_requantizations(model)
    assert points(model) == [15, 31, 255]


def test_a_learned_quantization_behind_a_calibrated_one_stays() -> None:
    """Where the conv's output is also added to something."""
    network = Network()
    x = integer_conv(network, network.quantized(network.x, 2, 0, 15))
    rounded = network.quantized(x, 3, 128)
    again = integer_conv(network, network.quantized(rounded, 4, 8, 15))
    model = network.model(network.op("Add", rounded, network.op("Relu", again)))
    drop_requantizations(model)
    assert points(model) == [15, 15]


def test_a_pixel_shuffle_of_codes_becomes_one_of_accumulators() -> None:
    """Its codes are quantized on both sides; what the next integer conv reads stays."""
    network = Network(3)
    weight = network.integer_weight(random_codes(12, 3, 3, 3), np.ones(12, np.float32))
    x = network.conv(network.quantized(network.x, 2, 0, 15), weight, random(12))
    x = network.op("DepthToSpace", network.quantized(x, 3, 128), blocksize=2, mode="DCR")
    x = network.quantized(x, 3, 128)
    model = network.model(network.op("Add", network.op("Relu", x), integer_conv(network, x)))
    drop_requantizations(model)
    assert points(model) == [15, 255]


def test_codes_of_no_integer_conv_that_are_read_in_float_are_refused() -> None:
    network = Network()
    model = network.model(network.op("Relu", network.quantized(network.x, 2, 0, 15)))
    with pytest.raises(ExportError, match="reads quantized activations; choose --formats onnx,"):
        drop_requantizations(model)
