"""Writing a layer's constants: the other half of ``forms``, which reads them."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from gdq_exporter.ir import editing
from gdq_exporter.ir.forms import Layer


def set_weight(model: ir.Model, layer: Layer, weight: NDArray[Any]) -> None:
    """Give a layer float weights, with the axes of its operator."""
    array = weight.astype(np.float32)
    layer.node.replace_input_with(1, editing.add_constant(model, array, f"{layer.weight.name}"))


def set_integer_weight(
    model: ir.Model, layer: Layer, codes: NDArray[Any], steps: NDArray[Any]
) -> None:
    """Give a layer integer weights.

    Args:
        model: holds the layer.
        layer: which one.
        codes: in the range of int8, with the axes of its operator.
        steps: () or, one for each output channel, (O,).
    """
    node = layer.weight.producer()
    source = layer.weight if node is None else editing.input_of(node, 0)
    inputs = [
        editing.add_constant(model, codes.astype(np.int8), f"{source.name}"),
        editing.add_constant(model, steps.astype(np.float32), "weight_step"),
    ]
    axis = {"axis": layer.output_axis} if steps.ndim else {}
    dequantized = editing.insert(model, layer.node, "DequantizeLinear", inputs, axis)
    layer.node.replace_input_with(1, dequantized)


def set_bias(model: ir.Model, layer: Layer, bias: NDArray[Any], name: str | None = None) -> None:
    """Give a layer a bias (O,), whether or not it had one."""
    name = name or f"{layer.node.outputs[0].name}.bias"
    layer.node.resize_inputs(3)
    layer.node.replace_input_with(2, editing.add_constant(model, bias.astype(np.float32), name))
