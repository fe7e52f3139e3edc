"""What must hold for a network before and after the passes."""

from __future__ import annotations

import onnx_ir as ir

from gdq_exporter.errors import ExportError
from gdq_exporter.ir import editing, forms, operators, quantization

TRACED_OPERATORS = frozenset(
    {
        ("", "Add"), ("", "BatchNormalization"), ("", "Clip"), ("", "Conv"),
        ("", "DepthToSpace"), ("", "Div"), ("", "Identity"), ("", "LeakyRelu"), ("", "Mul"),
        ("", "PRelu"), ("", "Relu"), ("", "Sub"),
        (operators.DOMAIN, operators.ACT_QUANT), (operators.DOMAIN, operators.WEIGHT_QUANT),
    }
)  # fmt: skip
"""The operators that passes and writers know."""


def check_traced(model: ir.Model) -> None:
    """Check for one input and one output image, known operators and a learned quantizer.

    Raises:
        ExportError: the network has an operator that no target can write, or nothing to specialise.
    """
    for node in model.graph:
        if (node.domain, node.op_type) not in TRACED_OPERATORS:
            raise ExportError(
                f"the network uses {node.op_type}, which the exporter cannot write; "
                f"it knows {', '.join(sorted(name for _, name in TRACED_OPERATORS))}"
            )
    if len(model.graph.inputs) != 1 or len(model.graph.outputs) != 1:
        raise ExportError("the network must have one input and one output image")
    if not any(editing.nodes_of(model, operators.ACT_QUANT, operators.DOMAIN)):
        raise ExportError("the network has no learned activation quantizer: nothing to route")


def check_lowered(model: ir.Model) -> None:
    """Check for standard operators only, and integer inputs, weights and biases of integer convs.

    Raises:
        onnx_ir.passes.InvariantError: a pass did not do its job; our mistake, not the user's.
    """
    foreign = [node.op_type for node in model.graph if node.domain not in ("", "ai.onnx")]
    if foreign:
        raise ir.passes.InvariantError(f"{foreign[0]} is left after lowering")
    for conv in forms.integer_convs(model):
        layer = forms.read(conv)
        assert layer is not None
        bias = None if layer.bias is None else layer.bias.producer()
        integer_bias = bias is not None and editing.is_op(bias, "DequantizeLinear")
        if quantization.read(conv.inputs[0]) is None or not integer_bias:
            raise ir.passes.InvariantError(f"{layer} is only partly integer")
