"""The gate of the paper: group-normalised features at three granularities.

The variance of a group is the mean over its channels of w Cov w^T, w being a channel's head weights
and Cov the covariance of the patches of the tile, plus the variance of the channels' means.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import onnx_ir as ir

from gdq_exporter.targets.onnx import statistics_of_blocks, statistics_of_taps
from gdq_exporter.targets.onnx.graph_builder import GraphBuilder
from gdq_exporter.targets.predictor_constants import BLOCK, group_average, group_members
from gdq_models.predictor.parameters import PredictorParameters


def add_gate(
    graph: GraphBuilder,
    tile: ir.Value,
    height: ir.Value,
    width: ir.Value,
    parameters: PredictorParameters,
) -> ir.Value:
    """Add the gate with group normalisation; return its logits (1, 3).

    Args:
        graph: where the operators go.
        tile: (1, height, width, 3) uint8.
        height: (1,) int64.
        width: (1,) int64.
        parameters: of a ``group_norm`` gate.
    """
    if np.any(parameters.mean):
        pixels = graph.op("Cast", tile, to=int(ir.DataType.FLOAT))
        tile = graph.op("Sub", pixels, graph.float32(parameters.mean))
    size = graph.op("Concat", height, width, axis=0)
    rest = graph.op("ReduceMax", graph.op("Mod", size, graph.int64(BLOCK)), keepdims=0)
    whole = graph.op("Equal", rest, graph.op("Squeeze", graph.int64(0)))
    means, variances = graph.choice(
        whole,
        partial(statistics_of_blocks.add_statistics, tile=tile, parameters=parameters),
        partial(statistics_of_taps.add_statistics, tile=tile, size=size, parameters=parameters),
        outputs=2,
    )
    features = _normalised(graph, means, variances, parameters)
    joined = graph.op("Reshape", features, graph.int64(1, -1))
    weight, bias = graph.float32(parameters.gate_weight), graph.float32(parameters.gate_bias)
    return graph.op("Gemm", joined, weight, bias, transB=1)


def _normalised(
    graph: GraphBuilder, means: ir.Value, within: ir.Value, parameters: PredictorParameters
) -> ir.Value:
    """Return the features' mean (3, C) after group normalisation, per granularity."""
    assert parameters.norm_weight is not None
    assert parameters.norm_bias is not None
    average = graph.float32(group_average(parameters))
    spread = graph.float32(group_members(parameters))
    group_means = graph.op("MatMul", graph.op("MatMul", means, average), spread)
    distance = graph.op("Sub", means, group_means)
    between = graph.op("MatMul", graph.op("Mul", distance, distance), average)
    variance = graph.op("Add", graph.op("Relu", within), between)
    deviation = graph.op("Sqrt", graph.op("Add", variance, graph.float32(parameters.norm_epsilon)))
    # Pooling keeps the top-left multiple of four pixels: the mean over Z3 is that of all three.
    pooled = graph.op("Slice", means, graph.int64(-1), graph.int64(np.iinfo(np.int64).max))
    centred = graph.op("Sub", pooled, group_means)
    unit = graph.op("Div", centred, graph.op("MatMul", deviation, spread))
    weighted = graph.op("Mul", unit, graph.float32(parameters.norm_weight))
    return graph.op("Add", weighted, graph.float32(parameters.norm_bias))
