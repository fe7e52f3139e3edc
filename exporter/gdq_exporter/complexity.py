"""Multiply-adds of a network, per low-resolution pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from gdq_exporter.ir import editing, operators


@dataclass(frozen=True)
class Macs:
    """Multiply-adds per low-resolution pixel: what BitOPs are counted from."""

    quantized: int
    """Of layers with a learned activation width."""
    floating: int
    """Of the layers that the paper leaves in float."""


def count_macs(traced: ir.Model) -> Macs:
    """Counts the convs of a traced network; a conv behind a pixel shuffle counts more often."""
    pixels = {traced.graph.inputs[0]: 1}
    quantized = floating = 0
    for node in traced.graph:
        density = max(pixels.get(value, 1) for value in node.inputs if value is not None)
        if editing.is_op(node, "DepthToSpace"):
            density *= node.attributes.get_int("blocksize", 1) ** 2
        pixels.update(dict.fromkeys(node.outputs, density))
        if editing.is_op(node, "Conv"):
            weights = editing.input_of(node, 1)
            assert weights.shape is not None
            macs = density * int(np.prod(weights.shape.numpy()))
            if editing.is_op(weights.producer(), operators.WEIGHT_QUANT, operators.DOMAIN):
                quantized += macs
            else:
                floating += macs
    return Macs(quantized, floating)
