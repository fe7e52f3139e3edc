"""Batch normalisation in evaluation mode, folded away."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from gdq_exporter.ir import editing, forms, rewriting
from gdq_exporter.ir.forms import Layer

_Affine = tuple[NDArray[np.float64], NDArray[np.float64]]


class FoldBatchNormPass(ir.passes.InPlacePass):
    """Folds BatchNormalization into the conv before it, else writes it as Mul and Add.

    Integer weights keep their integers: a channel's factor goes into its step, and the sign of a
    negative factor into the codes. (-128 has no negative in int8: such a conv is left alone.)
    Takes convolutions of any form, transposed ones too; but integers of a grouped transposed one,
    which has no axis of output channels to lay steps along, are left alone.
    """

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Fold every batch norm."""
        found = list(editing.nodes_of(model, "BatchNormalization"))
        for node in found:
            affine = _affine(node)
            if not _fold_into_conv(model, node, affine):
                _write_out(model, node, affine)
        if found:
            editing.drop_unused(model)
        return ir.passes.PassResult(model, bool(found))

    def requires(self, model: ir.Model) -> None:
        """Statistics, scale and shift of every batch norm are constants."""
        for node in editing.nodes_of(model, "BatchNormalization"):
            if any(editing.constant(value) is None for value in node.inputs[1:5]):
                raise ir.passes.PreconditionError("a BatchNormalization computes its statistics")

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
    source, (factor, offset) = editing.input_of(node, 0), affine
    layer = forms.read_convolution(source.producer())
    if layer is None or layer.constant_bias is None or editing.sole_consumer(source) is not node:
        return False
    if layer.real_weight is not None:
        rewriting.set_weight(model, layer, layer.real_weight * layer.along_outputs(factor))
    elif not _scale_integers(model, layer, factor):
        return False
    rewriting.set_bias(model, layer, layer.constant_bias * factor + offset)
    editing.redirect(node.outputs[0], source)
    return True


def _scale_integers(model: ir.Model, layer: Layer, factor: NDArray[np.float64]) -> bool:
    weight = layer.integer_weight
    if weight is None or not layer.form.has_axis_of_outputs:
        return False
    steps = (weight.steps * np.abs(factor)).astype(np.float32)
    # A factor of (practically) zero erases the channel: any step will do for codes of zero.
    erased = steps < np.finfo(np.float32).tiny
    sign = np.where(erased, 0, np.sign(factor)).astype(np.int16)
    signed_codes = weight.codes * layer.along_outputs(sign)
    if signed_codes.max(initial=0) > 127:
        return False
    steps[erased] = 1
    rewriting.set_integer_weight(model, layer, signed_codes, steps)
    return True


def _write_out(model: ir.Model, node: ir.Node, affine: _Affine) -> None:
    factor, offset = (array.astype(np.float32).reshape(1, -1, 1, 1) for array in affine)
    scaled = editing.insert(
        model, node, "Mul", [node.inputs[0], editing.add_constant(model, factor, "factor")]
    )
    shifted = editing.insert(
        model, node, "Add", [scaled, editing.add_constant(model, offset, "offset")]
    )
    editing.redirect(node.outputs[0], shifted)
