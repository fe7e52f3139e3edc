"""Every convolution gets a bias."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from gdq_exporter.ir import editing


class ExplicitBiasPass(ir.passes.InPlacePass):
    """Adds a bias of zeros to convs without one: integer convs of every target want one."""

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Adds what is missing."""
        bare = [conv for conv in editing.nodes_of(model, "Conv") if not _has_bias(conv)]
        for conv in bare:
            zeros = np.zeros(editing.dimension(editing.input_of(conv, 1), 0), np.float32)
            conv.resize_inputs(3)
            conv.replace_input_with(2, editing.add_constant(model, zeros, "zero_bias"))
        return ir.passes.PassResult(model, bool(bare))

    def ensures(self, model: ir.Model) -> None:
        """Every conv has a bias."""
        if not all(_has_bias(conv) for conv in editing.nodes_of(model, "Conv")):
            raise ir.passes.PostconditionError("a Conv has no bias")


def _has_bias(conv: ir.Node) -> bool:
    return len(conv.inputs) > 2 and conv.inputs[2] is not None
