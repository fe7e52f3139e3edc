from __future__ import annotations

import numpy as np
import onnx_ir as ir
import pytest

from exporter.networks import Network, random, random_codes
from exporter.traced import traced
from gdq_exporter.config import PROFILES
from gdq_exporter.errors import ExportError
from gdq_exporter.ir.invariants import check_lowered, check_traced
from gdq_exporter.lowering import lower_shared

STEPS = np.ones(4)


def test_traced_networks_pass() -> None:
    check_traced(traced("edsr x2"))
    check_traced(traced("srresnet x2"))


@pytest.mark.parametrize(("op_type", "domain"), [("Softmax", ""), ("Conv", "com.example")])
def test_an_unknown_operator_is_refused_by_name(op_type: str, domain: str) -> None:
    network = Network(3)
    quantized = network.act_quant(network.x, STEPS, signed=True)
    inputs = [quantized] if op_type == "Softmax" else [quantized, network.constant(1)]
    model = network.model(network.op(op_type, *inputs, domain=domain))
    with pytest.raises(ExportError, match=f"uses {op_type}, which the exporter cannot write"):
        check_traced(model)


def test_lowering_refuses_it_too() -> None:
    network = Network(3)
    quantized = network.act_quant(network.x, STEPS, signed=True)
    with pytest.raises(ExportError, match="uses Tanh"):
        lower_shared(
            network.model(network.op("Tanh", quantized)), PROFILES["stream_float-tail_int8"]
        )


def test_two_images_are_refused() -> None:
    network = Network(3)
    quantized = network.act_quant(network.x, STEPS, signed=True)
    model = network.model(quantized, network.op("Relu", quantized))
    with pytest.raises(ExportError, match="one input and one output"):
        check_traced(model)


def test_a_network_without_quantizer_is_refused() -> None:
    network = Network(3)
    model = network.model(network.conv(network.x, random(3, 3, 3, 3)))
    with pytest.raises(ExportError, match="no learned activation quantizer"):
        check_traced(model)


def test_operators_of_ours_may_not_be_left() -> None:
    network = Network(3)
    model = network.model(network.act_quant(network.x, STEPS, signed=True))
    with pytest.raises(ir.passes.InvariantError, match="ActQuant is left"):
        check_lowered(model)


@pytest.mark.parametrize("missing", ["input", "bias"])
def test_an_integer_conv_must_be_integer_throughout(missing: str) -> None:
    network = Network(3)
    x = network.x if missing == "input" else network.quantized(network.x, 0.1, 128)
    weight = network.integer_weight(random_codes(3, 3, 3, 3), 0.01)
    bias = network.constant(random(3))
    if missing == "input":
        bias = network.op(
            "DequantizeLinear", network.constant(np.zeros(3), np.int32), network.constant(0.001)
        )
    model = network.model(network.conv(x, weight, bias))
    with pytest.raises(ir.passes.InvariantError, match="only partly integer"):
        check_lowered(model)
