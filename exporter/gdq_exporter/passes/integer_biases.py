"""Biases of integer convolutions, as the 32-bit integers their accumulators start from."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from gdq_exporter.errors import ExportError
from gdq_exporter.ir import editing, forms, quantization, rewriting
from gdq_exporter.ir.forms import Layer

_LARGEST = 1 << 30
"""Bias in integers: half of an accumulator's range; the other half is for the products."""


class IntegerBiasesPass(ir.passes.InPlacePass):
    """Turns the bias of every integer conv into int32 in units of input step x weight step.

    ONNX Runtime fuses a conv into QLinearConv only if its bias has exactly this form, without a
    zero point. Takes convolutions of any form but transposed ones.
    """

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Store every float bias of an integer conv as integers."""
        found = [
            conv
            for conv in forms.integer_convs(model)
            if editing.constant(conv.inputs[2]) is not None
        ]
        for conv in found:
            _store(model, conv)
        if found:
            editing.drop_unused(model)
        return ir.passes.PassResult(model, bool(found))

    def requires(self, model: ir.Model) -> None:
        """Every integer conv reads a quantized tensor, and has a bias and signed weights."""
        for conv in forms.integer_convs(model):
            layer = forms.read(conv)
            assert layer is not None
            if quantization.read(conv.inputs[0]) is None or layer.bias is None:
                raise ir.passes.PreconditionError(f"{layer} is not ready")
            if layer.integer_weight is None:
                raise ir.passes.PreconditionError(f"{layer} has integer weights of another kind")

    def ensures(self, model: ir.Model) -> None:
        """No integer conv has a float bias."""
        for conv in forms.integer_convs(model):
            if editing.constant(conv.inputs[2]) is not None:
                raise ir.passes.PostconditionError(f"{forms.read(conv)} has a float bias")


def _store(model: ir.Model, conv: ir.Node) -> None:
    layer, point = forms.read(conv), quantization.read(conv.inputs[0])
    assert layer is not None
    assert point is not None
    assert layer.bias is not None
    bias = layer.constant_bias
    assert bias is not None
    step = (point.step * _fitting_steps(model, layer, point.step, bias)).astype(np.float32)
    codes = np.rint(bias / step.astype(np.float64)).astype(np.int32)
    stored = editing.add_constant(model, codes, f"{layer.bias.name}.int32")
    step_value = editing.add_constant(model, step, "bias_step")
    attributes = {"axis": 0} if step.ndim else {}
    conv.replace_input_with(
        2, editing.insert(model, conv, "DequantizeLinear", [stored, step_value], attributes)
    )


def _fitting_steps(
    model: ir.Model, layer: Layer, input_step: np.float32, bias: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the steps of a layer's weights, made larger for channels whose bias would not fit.

    This happens where weights have all but vanished beside their bias (a channel that training gave
    up). A scalar step was learned and stays.
    """
    weight = layer.integer_weight
    assert weight is not None, "a precondition"
    smallest = np.abs(bias.astype(np.float64)) / (_LARGEST * float(input_step))
    if np.all(smallest <= weight.steps):
        return weight.steps.astype(np.float32)
    if not weight.steps.ndim:
        raise ExportError(
            f"the bias of layer {layer.name!r} needs more than 32 bits: its steps are too small"
        )
    fitting: NDArray[np.float32] = np.maximum(weight.steps, smallest).astype(np.float32)
    coarse = np.rint(weight.codes * layer.along_outputs(weight.steps / fitting))
    rewriting.set_integer_weight(model, layer, coarse, fitting)
    return fitting
