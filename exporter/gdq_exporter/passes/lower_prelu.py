"""PReLU with one shared slope, written as LeakyRelu."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from gdq_exporter.ir import editing


class LowerPReluPass(ir.passes.InPlacePass):
    """Writes PRelu as LeakyRelu where all channels share a slope.

    They are the same function; LeakyRelu is the one that integer kernels take (XNNPACK runs PRELU
    in float only) and that ONNX Runtime fuses.
    """

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Rewrites every PRelu with one slope."""
        modified = False
        for node in editing.nodes_of(model, "PRelu"):
            slopes = editing.constant(node.inputs[1])
            if slopes is None or np.unique(slopes).size != 1:
                continue
            slope = float(slopes.flat[0])
            leaky = editing.insert(model, node, "LeakyRelu", [node.inputs[0]], {"alpha": slope})
            editing.redirect(node.outputs[0], leaky)
            modified = True
        if modified:
            editing.drop_unused(model)
        return ir.passes.PassResult(model, modified)
