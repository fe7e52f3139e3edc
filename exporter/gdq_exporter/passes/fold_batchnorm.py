"""Batch normalisation in evaluation mode, folded away."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from gdq_exporter.ir import editing

_Affine = tuple[NDArray[np.float64], NDArray[np.float64]]


class FoldBatchNormPass(ir.passes.InPlacePass):
    """Folds BatchNormalization into the conv before it, else writes it as Mul and Add.

    Integer weights keep their integers: a channel's factor goes into its step, and the sign of a
    negative factor into the codes. (-128 has no negative in int8: such a conv is left alone.)
    """

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Folds every batch norm."""
        found = list(editing.nodes_of(model, "BatchNormalization"))
        for node in found:
            affine = _affine(node)
            if not _fold_into_conv(model, node, affine):
                _write_out(model, node, affine)
        if found:
            editing.drop_unused(model)
        return ir.passes.PassResult(model, bool(found))

    def ensures(self, model: ir.Model) -> None:
        """No batch norm is left."""
        if any(editing.nodes_of(model, "BatchNormalization")):
            raise ir.passes.PostconditionError("a BatchNormalization is left")


def _affine(node: ir.Node) -> _Affine:
    """Factor and offset per channel: gamma / sqrt(var + eps), beta - mean * factor."""
    gamma, beta, mean, variance = (editing.constant(value) for value in node.inputs[1:5])
    assert gamma is not None
    assert beta is not None
    assert mean is not None
    assert variance is not None
    epsilon = node.attributes.get_float("epsilon", 1e-5)
    factor = gamma.astype(np.float64) / np.sqrt(variance.astype(np.float64) + epsilon)
    return factor, beta - mean * factor


def _fold_into_conv(model: ir.Model, node: ir.Node, affine: _Affine) -> bool:
    source = editing.input_of(node, 0)
    conv = source.producer()
    if conv is None or not editing.is_op(conv, "Conv") or editing.sole_consumer(source) is not node:
        return False
    bias, weights = editing.constant_bias(conv), _scaled_weights(model, conv, affine[0])
    if bias is None or weights is None:
        return False
    folded = bias * affine[0] + affine[1]
    bias_value = editing.add_constant(model, folded.astype(np.float32), f"{source.name}.bias")
    _set_inputs(model, conv, weights, bias_value)
    editing.redirect(node.outputs[0], source)
    return True


def _set_inputs(model: ir.Model, conv: ir.Node, weights: ir.Value, bias: ir.Value) -> None:
    conv.resize_inputs(3)
    conv.replace_input_with(1, weights)
    conv.replace_input_with(2, bias)


def _scaled_weights(model: ir.Model, conv: ir.Node, factor: NDArray[np.float64]) -> ir.Value | None:
    value = editing.input_of(conv, 1)
    weights = editing.constant(value)
    if weights is not None:
        scaled = weights * factor[:, None, None, None]
        return editing.add_constant(model, scaled.astype(np.float32), f"{value.name}")
    dequantize = value.producer()
    if dequantize is None or not editing.is_op(dequantize, "DequantizeLinear"):
        return None
    codes, step = editing.constant(dequantize.inputs[0]), editing.constant(dequantize.inputs[1])
    assert codes is not None
    assert step is not None
    steps = (step * np.abs(factor)).astype(np.float32)
    # A factor of zero, or as good as that, erases the channel: any step will do for codes of zero.
    erased = steps < np.finfo(np.float32).tiny
    sign = np.where(erased, 0, np.sign(factor)).astype(np.int16)
    signed_codes = codes * sign[:, None, None, None]
    if signed_codes.max(initial=0) > 127:
        return None
    steps[erased] = 1
    name = editing.input_of(dequantize, 0).name
    return editing.insert(
        model,
        conv,
        "DequantizeLinear",
        [
            editing.add_constant(model, signed_codes.astype(np.int8), f"{name}"),
            editing.add_constant(model, steps, "weight_step"),
        ],
        {"axis": 0},
    )


def _write_out(model: ir.Model, node: ir.Node, affine: _Affine) -> None:
    factor, offset = (array.astype(np.float32).reshape(1, -1, 1, 1) for array in affine)
    scaled = editing.insert(
        model, node, "Mul", [node.inputs[0], editing.add_constant(model, factor, "factor")]
    )
    shifted = editing.insert(
        model, node, "Add", [scaled, editing.add_constant(model, offset, "offset")]
    )
    editing.redirect(node.outputs[0], shifted)
