"""Pixel shuffle in the channel order that mobile targets have."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from gdq_exporter.ir import editing, forms, rewriting
from gdq_exporter.ir.forms import Layer


class OrderDepthToSpacePass(ir.passes.InPlacePass):
    """Turns DepthToSpace CRD (torch's order) into DCR by permuting the convolution before it.

    NNAPI and TFLite know DCR only; converters write CRD as reshape, transpose, reshape. Takes
    convolutions of any form but transposed ones, with float or integer weights. The order mixes
    output channels of all groups, so a grouped convolution becomes a dense one.
    """

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Reorders every CRD pixel shuffle that alone follows a convolution."""
        modified = False
        for node in editing.nodes_of(model, "DepthToSpace"):
            if node.attributes.get_string("mode", "DCR") != "CRD":
                continue
            layer = forms.read(editing.input_of(node, 0).producer())
            if layer is None or editing.sole_consumer(layer.node.outputs[0]) is not node:
                continue
            if _permute(model, layer, node.attributes.get_int("blocksize", 1)):
                node.attributes["mode"] = ir.AttrString("mode", "DCR")
                modified = True
        if modified:
            editing.drop_unused(model)
        return ir.passes.PassResult(model, modified)


def dcr_order(channels: int, block: int) -> NDArray[np.int64]:
    """For each DCR channel the CRD channel it holds: (i, j, c) <- (c, i, j)."""
    indices = np.arange(channels).reshape(channels // block**2, block, block)
    return indices.transpose(1, 2, 0).reshape(-1)


def _permute(model: ir.Model, layer: Layer, block: int) -> bool:
    """Reorders the outputs of a convolution with constant weights and bias."""
    real, integer, bias = layer.real_weight, layer.integer_weight, layer.constant_bias
    if not layer.form.is_convolution or bias is None or (real is None and integer is None):
        return False
    order = dcr_order(layer.outputs, block)

    def permuted(weight: NDArray[Any]) -> NDArray[Any]:
        return forms.densify(weight, layer.form)[order]

    if real is not None:
        rewriting.set_weight(model, layer, permuted(real))
    elif integer is not None:
        steps = integer.steps[order] if integer.steps.ndim else integer.steps
        rewriting.set_integer_weight(model, layer, permuted(integer.codes), steps)
    if layer.bias is not None:
        rewriting.set_bias(model, layer, bias[order])
    if not layer.form.is_dense:
        layer.node.attributes["group"] = ir.AttrInt64("group", 1)
    return True
