"""Quantizations that a network has only so that ONNX Runtime and XNNPACK run it in integers."""

from __future__ import annotations

import onnx_ir as ir

from gdq_exporter.ir import editing, forms, quantization
from gdq_exporter.targets.engine.refusal import refusal


def drop_requantizations(model: ir.Model) -> None:
    """Remove, in place, the quantizations that no integer conv reads.

    Those libraries round what an integer conv makes to 8 bits before anything in float reads it;
    our engine continues with the accumulators. A quantization that an integer conv reads is
    the network's own and stays.

    Raises:
        ExportError: something in float reads quantized activations that no integer conv made.
    """
    for node in editing.nodes_of(model, "DequantizeLinear"):
        value = node.outputs[0]
        if quantization.read(value) is None:
            continue  # a weight or a bias
        if any(forms.is_integer_conv(reader) for reader in editing.consumers(value)):
            continue
        source = quantization.source(value)
        if not _is_made_by_integer_conv(source):
            raise refusal("an operator in float reads quantized activations")
        editing.redirect(value, source)
    editing.drop_unused(model)


def _is_made_by_integer_conv(value: ir.Value) -> bool:
    """Tell whether an integer conv makes a value, with only ReLUs and pixel shuffles between."""
    node = value.producer()
    while editing.is_op(node, "Relu") or editing.is_op(node, "DepthToSpace"):
        assert node is not None
        node = editing.input_of(node, 0).producer()
    return node is not None and forms.is_integer_conv(node)
