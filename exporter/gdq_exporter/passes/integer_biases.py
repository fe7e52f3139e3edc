"""Biases of integer convolutions, as the 32-bit integers their accumulators start from."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from gdq_exporter.errors import ExportError
from gdq_exporter.ir import editing, quantization

_LARGEST = 1 << 30
"""Bias in integers: half of an accumulator's range, the other half is for the products."""


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
    assert point is not None
    assert bias is not None
    step = (point.step * _fitting_steps(model, conv, point.step, bias)).astype(np.float32)
    codes = np.rint(bias / step.astype(np.float64)).astype(np.int32)
    name = editing.input_of(conv, 2).name
    stored = editing.add_constant(model, codes, f"{name}.int32")
    step_value = editing.add_constant(model, step, "bias_step")
    attributes = {"axis": 0} if step.ndim else {}
    conv.replace_input_with(
        2, editing.insert(model, conv, "DequantizeLinear", [stored, step_value], attributes)
    )


def _fitting_steps(
    model: ir.Model, conv: ir.Node, input_step: np.float32, bias: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The steps of a conv's weights, made larger for channels whose bias would not fit.

    Weights that have all but vanished beside their bias (a channel that training gave up) have
    such steps. A scalar step was learned and stays.
    """
    dequantize = editing.input_of(conv, 1).producer()
    assert dequantize is not None
    codes, steps = editing.constant(dequantize.inputs[0]), editing.constant(dequantize.inputs[1])
    assert codes is not None
    assert steps is not None
    smallest = np.abs(bias.astype(np.float64)) / (_LARGEST * float(input_step))
    if np.all(smallest <= steps):
        return steps.astype(np.float32)
    if not steps.ndim:
        raise ExportError(
            f"the bias of {conv.outputs[0].name!r} needs more than 32 bits: its steps are too small"
        )
    fitting: NDArray[np.float32] = np.maximum(steps, smallest).astype(np.float32)
    coarse = np.rint(codes * (steps / fitting)[:, None, None, None]).astype(np.int8)
    inputs = [editing.add_constant(model, array, "fitted") for array in (coarse, fitting)]
    conv.replace_input_with(1, editing.insert(model, conv, "DequantizeLinear", inputs, {"axis": 0}))
    return fitting
