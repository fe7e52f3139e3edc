"""A constant added to a convolution's output, folded into its bias."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from gdq_exporter.ir import editing, forms, rewriting


class FoldOffsetPass(ir.passes.InPlacePass):
    """Folds ``conv + c`` (one constant per channel, e.g. the image's mean) into the bias.

    An offset in front of a conv stays: the conv pads with zeros after it, so at the border the
    two do not commute. Takes convolutions of any form, transposed ones too: whatever a bias is
    added to, the offset is.
    """

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Folds every offset it can."""
        modified = False
        for node in editing.nodes_of(model, "Add"):
            if _fold(model, node, data=0, offset=1) or _fold(model, node, data=1, offset=0):
                editing.remove(model, node)  # at once: the next one may follow it
                modified = True
        if modified:
            editing.drop_unused(model)
        return ir.passes.PassResult(model, modified)


def _fold(model: ir.Model, node: ir.Node, *, data: int, offset: int) -> bool:
    source, constant = editing.input_of(node, data), editing.constant(node.inputs[offset])
    layer = forms.read_convolution(source.producer())
    if constant is None or layer is None or layer.constant_bias is None:
        return False
    channels = layer.outputs
    per_channel = constant.size == channels and constant.shape[-3:] == (channels, 1, 1)
    if not (per_channel or constant.size == 1) or editing.sole_consumer(source) is not node:
        return False
    rewriting.set_bias(model, layer, np.zeros(channels) + layer.constant_bias + constant.ravel())
    editing.redirect(node.outputs[0], source)
    return True
