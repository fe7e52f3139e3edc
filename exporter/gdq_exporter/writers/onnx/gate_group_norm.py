"""The gate of the paper: group-normalised features at three granularities, from Gram matrices.

The variance of a group is the mean over its channels of w Cov w^T, w being a channel's head weights
and Cov the covariance of the patches of the tile, plus the variance of the channels' means. Pixels
count from the tile's mean colour, so that no term is much larger than the sum and float32 suffices.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import onnx_ir as ir

from gdq_exporter.writers.onnx.graph_builder import GraphBuilder
from gdq_exporter.writers.predictor_constants import group_members, group_squares, head_rows
from gdq_models.predictor.parameters import PredictorParameters

_END = np.iinfo(np.int32).max
_BLOCKS = (1, 2, 4)
"""Pixels averaged for Z1, Z2 and Z3."""


def add_gate(
    graph: GraphBuilder,
    pixels: ir.Value,
    height: ir.Value,
    width: ir.Value,
    parameters: PredictorParameters,
) -> ir.Value:
    """Logits (1, 3) of the gate with group normalisation.

    Args:
        graph: where the operators go.
        pixels: (1, height, width, 3) float32 of 0..255.
        height: (1,) int64.
        width: (1,) int64.
        parameters: of a ``group_norm`` gate.
    """
    if np.any(parameters.mean):
        pixels = graph.op("Sub", pixels, graph.float32(parameters.mean))
    kernel, size = parameters.head_weight.shape[-1], graph.op("Concat", height, width, axis=0)
    centre = graph.op("ReduceMean", pixels, graph.int64(1, 2), keepdims=0)
    padded = _centred(graph, pixels, centre, kernel // 2)
    patches = [
        _patches(graph, averaged, block, size, kernel)
        for block, averaged in zip(_BLOCKS, _averages(graph, padded), strict=True)
    ]
    heads = head_rows(parameters)
    bias = _bias_at(graph, centre, parameters)
    mean_patches = [_mean_patch(graph, patch) for patch in patches]
    means = [
        graph.op("Add", graph.op("MatMul", patch, graph.float32(heads.T)), bias)
        for patch in mean_patches
    ]
    covariances = [
        _covariance(graph, patch, mean) for patch, mean in zip(patches, mean_patches, strict=True)
    ]
    # Pooling keeps the top-left multiple of four pixels: the mean over Z3 is that of all three.
    features = [
        _normalised(graph, means[-1], mean, covariance, parameters, scale)
        for scale, (mean, covariance) in enumerate(zip(means, covariances, strict=True))
    ]
    joined = graph.op("Concat", *features, axis=1)
    weight, bias_value = graph.float32(parameters.gate_weight), graph.float32(parameters.gate_bias)
    return graph.op("Gemm", joined, weight, bias_value, transB=1)


def _centred(graph: GraphBuilder, pixels: ir.Value, centre: ir.Value, radius: int) -> ir.Value:
    """(1, 3, height + 2 radius, width + 2 radius): zero-padded pixels less the mean colour."""
    planar = graph.op("Transpose", pixels, perm=[0, 3, 1, 2])
    padded = graph.op("Pad", planar, graph.int64(0, 0, radius, radius, 0, 0, radius, radius))
    return graph.op("Sub", padded, graph.op("Reshape", centre, graph.int64(1, 3, 1, 1)))


def _bias_at(graph: GraphBuilder, centre: ir.Value, parameters: PredictorParameters) -> ir.Value:
    """(1, C): what the head makes of a patch that is the mean colour throughout."""
    per_colour = parameters.head_weight.sum(axis=(2, 3)).T
    return graph.op("Gemm", centre, graph.float32(per_colour), graph.float32(parameters.head_bias))


def _averages(graph: GraphBuilder, padded: ir.Value) -> list[ir.Value]:
    """Averages over 1x1, 2x2 and 4x4 pixels at every position; each halves what the last summed."""
    averages = [padded]
    for distance in _BLOCKS[:-1]:
        averages.append(_average_pairs(graph, averages[-1], distance))
    return averages


def _average_pairs(graph: GraphBuilder, image: ir.Value, distance: int) -> ir.Value:
    """Averages each pixel with those ``distance`` below, right, and both. AveragePool takes 8x."""
    for axis in (2, 3):
        near = graph.op("Slice", image, graph.int64(0), graph.int64(-distance), graph.int64(axis))
        far = graph.op("Slice", image, graph.int64(distance), graph.int64(_END), graph.int64(axis))
        image = graph.op("Add", near, far)
    return graph.op("Mul", image, graph.float32(0.25))


def _patches(
    graph: GraphBuilder, averaged: ir.Value, block: int, size: ir.Value, kernel: int
) -> ir.Value:
    """(3 k k, N): every patch that a conv followed by block averaging sums."""
    step = graph.int64(block, block)
    span = graph.op("Mul", graph.op("Div", size, step), step)
    taps = []
    for row, column in product(range(kernel), repeat=2):
        start = graph.int64(row, column)
        # The last tap starts block pixels before the end of the span.
        end = graph.op("Add", span, graph.int64(row - block + 1, column - block + 1))
        taps.append(graph.op("Slice", averaged, start, end, graph.int64(2, 3), step))
    stacked = graph.op("Concat", *taps, axis=1)
    return graph.op("Reshape", stacked, graph.int64(3 * kernel * kernel, -1))


def _mean_patch(graph: GraphBuilder, patches: ir.Value) -> ir.Value:
    """(1, 3 k k)."""
    return graph.op("Reshape", graph.op("ReduceMean", patches, graph.int64(1)), graph.int64(1, -1))


def _covariance(graph: GraphBuilder, patches: ir.Value, mean: ir.Value) -> ir.Value:
    """(1, (3 k k)^2): mean of p p^T less the product of the means."""
    count = graph.op("Cast", graph.op("Shape", patches, start=1, end=2), to=int(ir.DataType.FLOAT))
    gram = graph.op("MatMul", patches, graph.op("Transpose", patches, perm=[1, 0]))
    products = graph.op("MatMul", graph.op("Transpose", mean, perm=[1, 0]), mean)
    covariance = graph.op("Sub", graph.op("Div", gram, count), products)
    return graph.op("Reshape", covariance, graph.int64(1, -1))


def _normalised(
    graph: GraphBuilder,
    pooled_mean: ir.Value,
    mean: ir.Value,
    covariance: ir.Value,
    parameters: PredictorParameters,
    scale: int,
) -> ir.Value:
    """(1, C): what the pooled mean becomes after group normalisation at one granularity."""
    assert parameters.norm_weight is not None
    assert parameters.norm_bias is not None
    members = group_members(parameters)
    average, spread = graph.float32(members.T / members.sum(axis=1)), graph.float32(members)
    within = graph.op("MatMul", covariance, graph.float32(group_squares(parameters).T))
    group_mean = graph.op("MatMul", graph.op("MatMul", mean, average), spread)
    distance = graph.op("Sub", mean, group_mean)
    between = graph.op("MatMul", graph.op("Mul", distance, distance), average)
    variance = graph.op("Add", graph.op("Relu", within), between)
    deviation = graph.op("Sqrt", graph.op("Add", variance, graph.float32(parameters.norm_epsilon)))
    centred = graph.op("Sub", pooled_mean, group_mean)
    unit = graph.op("Div", centred, graph.op("MatMul", deviation, spread))
    weighted = graph.op("Mul", unit, graph.float32(parameters.norm_weight[scale]))
    return graph.op("Add", weighted, graph.float32(parameters.norm_bias[scale]))
