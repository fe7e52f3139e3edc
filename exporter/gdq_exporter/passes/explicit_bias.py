"""Every convolution gets a bias."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from gdq_exporter.ir import editing, forms, rewriting
from gdq_exporter.ir.forms import Layer


class ExplicitBiasPass(ir.passes.InPlacePass):
    """Adds a bias of zeros to convolutions without one, which every target's integer ones need.

    Takes convolutions of any form, transposed ones too.
    """

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Add what is missing."""
        bare = _bare_convolutions(model)
        for layer in bare:
            rewriting.set_bias(model, layer, np.zeros(layer.outputs), "zero_bias")
        return ir.passes.PassResult(model, bool(bare))

    def requires(self, model: ir.Model) -> None:
        """Batch norms are folded: they may give a convolution its bias."""
        if any(editing.nodes_of(model, "BatchNormalization")):
            raise ir.passes.PreconditionError("a BatchNormalization is left")

    def ensures(self, model: ir.Model) -> None:
        """Every convolution has a bias."""
        if bare := _bare_convolutions(model):
            raise ir.passes.PostconditionError(f"{bare[0]} has no bias")


def _bare_convolutions(model: ir.Model) -> list[Layer]:
    convolutions = (forms.read_convolution(node) for node in model.graph)
    return [layer for layer in convolutions if layer is not None and layer.bias is None]
