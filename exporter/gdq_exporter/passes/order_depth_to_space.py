"""Pixel shuffle in the channel order that mobile targets have."""

from __future__ import annotations

from collections.abc import Iterator
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
        """Reorder every CRD pixel shuffle that is the only reader of a convolution."""
        found = list(_permutable(model))
        for node, layer in found:
            _permute(model, layer, node.attributes.get_int("blocksize", 1))
            node.attributes["mode"] = ir.AttrString("mode", "DCR")
        if found:
            editing.drop_unused(model)
        return ir.passes.PassResult(model, bool(found))

    def requires(self, model: ir.Model) -> None:
        """The channels of every pixel shuffle are a multiple of its block's pixels."""
        for node, layer in _permutable(model):
            if layer.outputs % node.attributes.get_int("blocksize", 1) ** 2:
                raise ir.passes.PreconditionError(f"{layer}, does not make whole blocks")

    def ensures(self, model: ir.Model) -> None:
        """No pixel shuffle in torch's order is left behind a permutable convolution."""
        for _, layer in _permutable(model):
            raise ir.passes.PostconditionError(f"torch's order is left behind {layer}")


def _permutable(model: ir.Model) -> Iterator[tuple[ir.Node, Layer]]:
    """Yield pixel shuffles in torch's order, each with the convolution that only it reads."""
    for node in editing.nodes_of(model, "DepthToSpace"):
        layer = forms.read(editing.input_of(node, 0).producer())
        if (
            node.attributes.get_string("mode", "DCR") == "CRD"
            and layer is not None
            and layer.form.is_convolution
            and layer.constant_bias is not None
            and not (layer.real_weight is None and layer.integer_weight is None)
            and editing.sole_consumer(layer.node.outputs[0]) is node
        ):
            yield node, layer


def dcr_order(channels: int, block: int) -> NDArray[np.int64]:
    """Return for each DCR channel the CRD channel it holds: (i, j, c) <- (c, i, j)."""
    indices = np.arange(channels).reshape(channels // block**2, block, block)
    return indices.transpose(1, 2, 0).reshape(-1)


def _permute(model: ir.Model, layer: Layer, block: int) -> None:
    """Reorder the outputs of a convolution with constant weights and bias."""
    order = dcr_order(layer.outputs, block)

    def permuted(weight: NDArray[Any]) -> NDArray[Any]:
        return forms.densify(weight, layer.form)[order]

    if layer.real_weight is not None:
        rewriting.set_weight(model, layer, permuted(layer.real_weight))
    elif (integer := layer.integer_weight) is not None:
        steps = integer.steps[order] if integer.steps.ndim else integer.steps
        rewriting.set_integer_weight(model, layer, permuted(integer.codes), steps)
    if layer.bias is not None and layer.constant_bias is not None:
        rewriting.set_bias(model, layer, layer.constant_bias[order])
    if not layer.form.is_dense:
        layer.node.attributes["group"] = ir.AttrInt64("group", 1)
