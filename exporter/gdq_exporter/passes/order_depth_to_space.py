"""Pixel shuffle in the channel order that mobile targets have."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from gdq_exporter.ir import editing


class OrderDepthToSpacePass(ir.passes.InPlacePass):
    """Turns DepthToSpace CRD (torch's order) into DCR by permuting the conv before it.

    NNAPI and TFLite know DCR only; converters write CRD as reshape, transpose, reshape.
    """

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Reorders every CRD pixel shuffle that directly follows a float conv."""
        modified = False
        for node in editing.nodes_of(model, "DepthToSpace"):
            conv = editing.input_of(node, 0).producer()
            if node.attributes.get_string("mode", "DCR") != "CRD":
                continue
            if conv is None or not editing.is_float_conv(conv):
                continue
            if editing.sole_consumer(conv.outputs[0]) is not node:
                continue
            _permute(model, conv, node.attributes.get_int("blocksize", 1))
            node.attributes["mode"] = ir.AttrString("mode", "DCR")
            modified = True
        return ir.passes.PassResult(model, modified)


def dcr_order(channels: int, block: int) -> NDArray[np.int64]:
    """For each DCR channel the CRD channel it holds: (i, j, c) <- (c, i, j)."""
    indices = np.arange(channels).reshape(channels // block**2, block, block)
    return indices.transpose(1, 2, 0).reshape(-1)


def _permute(model: ir.Model, conv: ir.Node, block: int) -> None:
    for index in (1, 2):
        value = conv.inputs[index] if index < len(conv.inputs) else None
        array = editing.constant(value)
        if value is None or array is None:
            continue
        permuted = array[dcr_order(array.shape[0], block)]
        conv.replace_input_with(index, editing.add_constant(model, permuted, f"{value.name}"))
