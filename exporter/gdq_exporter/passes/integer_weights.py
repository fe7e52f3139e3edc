"""Learned 8-bit weights, stored as the integers that training saw."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from gdq_exporter.errors import ExportError
from gdq_exporter.ir import editing, operators


class IntegerWeightsPass(ir.passes.InPlacePass):
    """Turns ``gdq::WeightQuant`` into int8 constants behind DequantizeLinear.

    No recalibration: the codes are ``round(clip(w / step))`` with the learned step, so the real
    weights of the lowered network equal those of training bit for bit.
    """

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Store every quantized weight as integers."""
        found = list(editing.nodes_of(model, operators.WEIGHT_QUANT, operators.DOMAIN))
        for node in found:
            _store(model, node)
        if found:
            editing.drop_unused(model)
        return ir.passes.PassResult(model, bool(found))

    def requires(self, model: ir.Model) -> None:
        """Every step is one number above zero."""
        for node in editing.nodes_of(model, operators.WEIGHT_QUANT, operators.DOMAIN):
            step = editing.scalar(node.inputs[1])
            if editing.constant(node.inputs[1]) is not None and not (step and step > 0):
                name = editing.input_of(node, 0).name
                raise ir.passes.PreconditionError(f"the step of {name!r} is not above zero")

    def ensures(self, model: ir.Model) -> None:
        """No weight is left to be quantized at run time."""
        if any(editing.nodes_of(model, operators.WEIGHT_QUANT, operators.DOMAIN)):
            raise ir.passes.PostconditionError("a gdq::WeightQuant is left")


def _store(model: ir.Model, node: ir.Node) -> None:
    source = editing.input_of(node, 0)
    weights, step = editing.constant(source), editing.constant(node.inputs[1])
    if weights is None or step is None:
        raise ExportError(f"the weights {source.name!r} are computed, not stored; cannot export")
    codes = operators.quantize(weights, step, -128, 127).astype(np.int8)
    integers = editing.add_constant(model, codes, f"{source.name}.int8")
    step_value = editing.add_constant(model, step.astype(np.float32).reshape(()), "weight_step")
    editing.redirect(
        node.outputs[0],
        editing.insert(model, node, "DequantizeLinear", [integers, step_value]),
    )
