"""A constant added to a convolution's output, folded into its bias."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from gdq_exporter.ir import editing, forms, rewriting
from gdq_exporter.ir.forms import Layer


class FoldOffsetPass(ir.passes.InPlacePass):
    """Folds ``conv + c`` (one constant per channel, e.g. the image's mean) into the bias.

    An offset in front of a conv stays: the conv pads with zeros after it, so at the border the
    two do not commute. Takes convolutions of any form, transposed ones too: an offset is added
    wherever a bias is.
    """

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Fold every offset it can."""
        modified = False
        for node in editing.nodes_of(model, "Add"):
            if _fold(model, node, data=0, offset=1) or _fold(model, node, data=1, offset=0):
                editing.remove(model, node)  # right away: the next one may follow it
                modified = True
        if modified:
            editing.drop_unused(model)
        return ir.passes.PassResult(model, modified)

    def requires(self, model: ir.Model) -> None:
        """Biases are still float: integer ones count in other units."""
        for node in model.graph:
            layer = forms.read_convolution(node)
            bias = None if layer is None or layer.bias is None else layer.bias.producer()
            if editing.is_op(bias, "DequantizeLinear"):
                raise ir.passes.PreconditionError(f"{layer} has an integer bias")

    def ensures(self, model: ir.Model) -> None:
        """No convolution is followed by an offset of its channels alone."""
        for node in editing.nodes_of(model, "Add"):
            if _find(node, data=0, offset=1) or _find(node, data=1, offset=0):
                raise ir.passes.PostconditionError("an offset behind a convolution is left")


def _fold(model: ir.Model, node: ir.Node, *, data: int, offset: int) -> bool:
    found = _find(node, data=data, offset=offset)
    if found is None:
        return False
    layer, bias = found
    rewriting.set_bias(model, layer, bias)
    editing.redirect(node.outputs[0], layer.node.outputs[0])
    return True


def _find(node: ir.Node, *, data: int, offset: int) -> tuple[Layer, NDArray[np.float64]] | None:
    """Return the convolution that an addition can go into, and its new bias."""
    source, constant = editing.input_of(node, data), editing.constant(node.inputs[offset])
    layer = forms.read_convolution(source.producer())
    if constant is None or layer is None or layer.constant_bias is None:
        return None
    channels = layer.outputs
    per_channel = constant.size == channels and constant.shape[-3:] == (channels, 1, 1)
    if not (per_channel or constant.size == 1) or editing.sole_consumer(source) is not node:
        return None
    return layer, np.zeros(channels) + layer.constant_bias + constant.ravel()
