"""Multiplications by a constant, folded into the convolution beside them."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from gdq_exporter.ir import editing


class FoldRescalingPass(ir.passes.InPlacePass):
    """Folds ``x * c`` and ``x / c`` (scalar c) into the float conv that reads or writes it.

    A network trained on 0..1 divides the image by 255 and multiplies its output by 255; a residual
    scale of one multiplies by nothing. What stands beside no float conv stays where it is.
    """

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Folds every rescaling it can."""
        modified = False
        for node in list(model.graph):
            if (factor := _factor(node)) is not None and _fold(model, node, factor):
                editing.remove(model, node)  # at once: the next one looks at who reads the conv
                modified = True
        if modified:
            editing.drop_unused(model)
        return ir.passes.PassResult(model, modified)


def _factor(node: ir.Node) -> float | None:
    if not (editing.is_op(node, "Mul") or editing.is_op(node, "Div")):
        return None
    constant = editing.scalar(node.inputs[1])
    if constant is None or constant == 0:
        return None
    return constant if node.op_type == "Mul" else 1 / constant


def _fold(model: ir.Model, node: ir.Node, factor: float) -> bool:
    source, scaled = editing.input_of(node, 0), node.outputs[0]
    if factor == 1:
        editing.redirect(scaled, source)
        return True
    producer, readers = source.producer(), editing.consumers(scaled)
    if (
        producer is not None
        and editing.is_float_conv(producer)
        and editing.sole_consumer(source) is node
    ):
        _scale_conv(model, producer, factor, bias_too=True)
        editing.redirect(scaled, source)
        return True
    if readers and all(editing.is_float_conv(reader) for reader in readers) and _only_data(scaled):
        for reader in readers:
            _scale_conv(model, reader, factor, bias_too=False)
        editing.redirect(scaled, source)
        return True
    return False


def _only_data(value: ir.Value) -> bool:
    return not value.is_graph_output() and all(index == 0 for _, index in value.uses())


def _scale_conv(model: ir.Model, conv: ir.Node, factor: float, *, bias_too: bool) -> None:
    for index in (1, 2) if bias_too else (1,):
        value = conv.inputs[index] if index < len(conv.inputs) else None
        array = editing.constant(value)
        if value is not None and array is not None:
            scaled = (array.astype(np.float64) * factor).astype(np.float32)
            conv.replace_input_with(index, editing.add_constant(model, scaled, f"{value.name}"))
