"""The gate as released: a linear map of the head features' mean, from box sums of the tile."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from gdq_exporter.targets.onnx.graph_builder import GraphBuilder
from gdq_exporter.targets.predictor_constants import BLOCK, linear_gate
from gdq_models.predictor.parameters import PredictorParameters


def add_gate(
    graph: GraphBuilder,
    tile: ir.Value,
    height: ir.Value,
    width: ir.Value,
    parameters: PredictorParameters,
) -> ir.Value:
    """Add the released gate, whose three granularities have the same mean; return logits (1, 3).

    That mean runs over the top-left multiple of four pixels, which is all that pooling keeps.

    Args:
        graph: where the operators go.
        tile: (1, height, width, 3) uint8.
        height: (1,) int64.
        width: (1,) int64.
        parameters: of a ``linear`` gate.
    """
    kernel = parameters.head_weight.shape[-1]
    pixels = graph.op("Cast", tile, to=int(ir.DataType.FLOAT))
    if np.any(parameters.mean):
        pixels = graph.op("Sub", pixels, graph.float32(parameters.mean))
    rows, columns = (_box_matrix(graph, length, kernel) for length in (height, width))
    flat = graph.op("Reshape", pixels, graph.op("Concat", height, graph.int64(-1), axis=0))
    row_sums = graph.op("MatMul", rows, flat)
    shape = graph.op("Concat", graph.int64(kernel), width, graph.int64(3), axis=0)
    sums = graph.op("MatMul", columns, graph.op("Reshape", row_sums, shape))
    area = graph.op("Cast", _pooled_area(graph, height, width), to=int(ir.DataType.FLOAT))
    patch = graph.op("Div", graph.op("Reshape", sums, graph.int64(1, -1)), area)
    weight, bias = linear_gate(parameters)
    return graph.op("Gemm", patch, graph.float32(weight), graph.float32(bias), transB=1)


def _pooled(graph: GraphBuilder, length: ir.Value) -> ir.Value:
    block = graph.int64(BLOCK)
    return graph.op("Mul", graph.op("Div", length, block), block)


def _pooled_area(graph: GraphBuilder, height: ir.Value, width: ir.Value) -> ir.Value:
    return graph.op("Mul", _pooled(graph, height), _pooled(graph, width))


def _box_matrix(graph: GraphBuilder, length: ir.Value, kernel: int) -> ir.Value:
    """Return zeros and ones (kernel, length): which pixels the conv's tap at each offset sums."""
    offsets = np.arange(kernel)[:, None] - kernel // 2
    scalar = graph.op("Squeeze", length)
    zero, one = graph.op("Squeeze", graph.int64(0)), graph.op("Squeeze", graph.int64(1))
    positions = graph.op("Range", zero, scalar, one)
    outputs = graph.op("Sub", positions, graph.matrix_int64(offsets))
    inside = graph.op(
        "And",
        graph.op("GreaterOrEqual", outputs, graph.int64(0)),
        graph.op("Less", outputs, _pooled(graph, length)),
    )
    return graph.op("Cast", inside, to=int(ir.DataType.FLOAT))
