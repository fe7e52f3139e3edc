"""Biases of integer convolutions, as the 32-bit integers their accumulators start from."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from gdq_exporter import editing, quantization
from gdq_exporter.errors import ExportError

_INT32 = np.iinfo(np.int32)


class IntegerBiasesPass(ir.passes.InPlacePass):
    """Turns the bias of every integer conv into int32 in units of input step x weight step.

    ONNX Runtime fuses a conv into QLinearConv only if its bias has exactly this form, without a
    zero point.
    """

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Stores every float bias of an integer conv as integers."""
        found = [
            conv
            for conv in quantization.integer_convs(model)
            if editing.constant(conv.inputs[2]) is not None
        ]
        for conv in found:
            _store(model, conv)
        if found:
            editing.drop_unused(model)
        return ir.passes.PassResult(model, bool(found))

    def requires(self, model: ir.Model) -> None:
        """Every integer conv reads a quantized tensor and has a bias."""
        for conv in quantization.integer_convs(model):
            if quantization.read(conv.inputs[0]) is None or len(conv.inputs) < 3:
                raise ir.passes.PreconditionError(f"{conv.outputs[0].name!r} is not ready")


def _store(model: ir.Model, conv: ir.Node) -> None:
    point, bias = quantization.read(conv.inputs[0]), editing.constant(conv.inputs[2])
    dequantize = editing.input_of(conv, 1).producer()
    assert point is not None
    assert bias is not None
    assert dequantize is not None
    weight_step = editing.constant(dequantize.inputs[1])
    assert weight_step is not None
    step = (point.step * weight_step).astype(np.float32)
    codes = np.rint(bias / step.astype(np.float64))
    if np.any(codes < _INT32.min) or np.any(codes > _INT32.max):
        raise ExportError(
            f"the bias of {conv.outputs[0].name!r} needs more than 32 bits: its steps are too small"
        )
    name = editing.input_of(conv, 2).name
    stored = editing.add_constant(model, codes.astype(np.int32), f"{name}.int32")
    step_value = editing.add_constant(model, step, "bias_step")
    attributes = {"axis": 0} if step.ndim else {}
    conv.replace_input_with(
        2, editing.insert(model, conv, "DequantizeLinear", [stored, step_value], attributes)
    )
