"""PReLU with one shared slope, written as LeakyRelu."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from gdq_exporter.ir import editing


class LowerPReluPass(ir.passes.InPlacePass):
    """Writes PRelu as LeakyRelu where all channels share a slope.

    Both are the same function; LeakyRelu is the one that integer kernels take (XNNPACK runs PRELU
    in float only) and that ONNX Runtime fuses.
    """

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Rewrite every PRelu with one slope."""
        found = _with_one_slope(model)
        for node, slope in found:
            leaky = editing.insert(model, node, "LeakyRelu", [node.inputs[0]], {"alpha": slope})
            editing.redirect(node.outputs[0], leaky)
        if found:
            editing.drop_unused(model)
        return ir.passes.PassResult(model, bool(found))

    def requires(self, model: ir.Model) -> None:
        """Every PRelu has slopes."""
        if any(editing.constant(n.inputs[1]) is None for n in editing.nodes_of(model, "PRelu")):
            raise ir.passes.PreconditionError("a PRelu computes its slopes")

    def ensures(self, model: ir.Model) -> None:
        """No PRelu with one slope is left."""
        if _with_one_slope(model):
            raise ir.passes.PostconditionError("a PRelu with one slope is left")


def _with_one_slope(model: ir.Model) -> list[tuple[ir.Node, float]]:
    """Return each PRelu whose slopes are all the same number, with that number."""
    slopes = [(node, editing.constant(node.inputs[1])) for node in editing.nodes_of(model, "PRelu")]
    return [
        (node, float(one.flat[0]))
        for node, one in slopes
        if one is not None and np.unique(one).size == 1
    ]
