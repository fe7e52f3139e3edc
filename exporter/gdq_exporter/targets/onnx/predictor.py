"""The patch-bit predictor as a graph: tile -> logits, entropy, bit-width; it runs no convolution.

The gate reads only statistics of the head conv's features Z1 and of their averages over 2x2 and
4x4 pixels, Z2 and Z3 (paper, section 3.2). A conv is linear, so those statistics follow from
statistics of the tile itself:

- mean of Z1 over a region = head weights x mean 3-channel patch = box sums of the tile: two small
  matrix products (exact: sums of pixels stay below 2^24);
- group variance of Zd = quadratic form of the head weights with the second moments of patches of
  the tile, averaged over 1, 2 or 4 pixels: sums over one Gram matrix.

This takes a small part of the time of the head conv, and no feature map is ever made.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from gdq_core.sensitivity.rule import SensitivityRule
from gdq_exporter.targets.onnx import entropy, gate_group_norm, gate_linear
from gdq_exporter.targets.onnx.graph_builder import GraphBuilder
from gdq_exporter.targets.onnx.sensitivity import build_sensitivity
from gdq_exporter.trace import HEIGHT, INPUT, WIDTH
from gdq_models.predictor.parameters import PredictorParameters

LOGITS, ENTROPY, BIT_WIDTH = "logits", "entropy", "bit_width"


def build_predictor(parameters: PredictorParameters | SensitivityRule) -> ir.Model:
    """Build the graph of a gate; of sensitivity heads, see ``build_sensitivity``.

    In: ``tile`` (1, height, width, 3) uint8. Out: ``logits`` (1, 3) float32 for the gate's three
    widths, ``entropy`` (1,) float32 in nats, ``bit_width`` (1,) int64.
    """
    if isinstance(parameters, SensitivityRule):
        return build_sensitivity(parameters)
    tile = ir.val(INPUT, ir.DataType.UINT8, [1, HEIGHT, WIDTH, 3])
    graph = GraphBuilder()
    height, width = (graph.op("Shape", tile, start=axis, end=axis + 1) for axis in (1, 2))
    gate = gate_linear if parameters.gate == "linear" else gate_group_norm
    logits = gate.add_gate(graph, tile, height, width, parameters)
    nats = entropy.add_entropy(graph, tile, height, width)
    bits = _add_decision(graph, logits, nats, parameters)
    outputs = [
        _named(logits, LOGITS, ir.DataType.FLOAT, [1, 3]),
        _named(nats, ENTROPY, ir.DataType.FLOAT, [1]),
        _named(bits, BIT_WIDTH, ir.DataType.INT64, [1]),
    ]
    return graph.model(inputs=[tile], outputs=outputs)


def _add_decision(
    graph: GraphBuilder, logits: ir.Value, nats: ir.Value, parameters: PredictorParameters
) -> ir.Value:
    """Choose by the largest logit; at the largest width, by entropy (paper, section 3.3)."""
    choice = graph.op("ArgMax", logits, axis=1, keepdims=0)
    by_gate = graph.op("Gather", graph.int64(*parameters.gate_bit_widths), choice)
    thresholds = graph.float32(parameters.e2b_thresholds)
    exceeded = graph.op("Cast", graph.op("Greater", nats, thresholds), to=int(ir.DataType.INT64))
    level = graph.op("ReduceSum", exceeded, keepdims=1)
    by_entropy = graph.op("Gather", graph.int64(*parameters.e2b_bit_widths), level)
    largest = graph.op("Equal", choice, graph.int64(int(np.argmax(parameters.gate_bit_widths))))
    return graph.op("Where", largest, by_entropy, by_gate)


def _named(value: ir.Value, name: str, dtype: ir.DataType, shape: list[int]) -> ir.Value:
    value.name, value.dtype, value.shape = name, dtype, ir.Shape(shape)
    return value
