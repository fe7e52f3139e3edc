"""Mean and variance of the head conv's features, tap by tap: for tiles of any size.

One Gram matrix per granularity, of the patches that a conv followed by averaging sums. Slower than
``statistics_of_blocks``, which takes whole blocks only.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import onnx_ir as ir

from gdq_exporter.targets.onnx.graph_builder import GraphBuilder
from gdq_exporter.targets.predictor_constants import (
    GRANULARITIES,
    group_squares,
    head_rows,
)
from gdq_models.predictor.parameters import PredictorParameters

_END = np.iinfo(np.int32).max


def add_statistics(
    graph: GraphBuilder,
    tile: ir.Value,
    size: ir.Value,
    parameters: PredictorParameters,
) -> Sequence[ir.Value]:
    """Add the features' means and the variance within the channels of each group.

    Args:
        graph: where the operators go.
        tile: (1, height, width, 3) uint8, or float32 less ``parameters.mean``.
        size: (2,) int64, height and width.
        parameters: of a ``group_norm`` gate.

    Returns:
        Means (3, C) and variances (3, groups), fine, median, coarse, both float32.
    """
    kernel = parameters.head_weight.shape[-1]
    pixels = graph.op("Cast", tile, to=int(ir.DataType.FLOAT))
    centre = graph.op("ReduceMean", pixels, graph.int64(1, 2), keepdims=0)
    averages = _averages(graph, _centred(graph, pixels, centre, kernel // 2))
    patches = [
        _patches(graph, averaged, block, size, kernel)
        for block, averaged in zip(GRANULARITIES, averages, strict=True)
    ]
    mean_patches = [graph.op("ReduceMean", patch, graph.int64(1)) for patch in patches]
    rows = graph.op("Transpose", graph.op("Concat", *mean_patches, axis=1), perm=[1, 0])
    offsets = graph.op("MatMul", rows, graph.float32(head_rows(parameters).T))
    per_colour = graph.float32(parameters.head_weight.sum(axis=(2, 3)).T)
    bias = graph.op("Gemm", centre, per_colour, graph.float32(parameters.head_bias))
    covariances = [
        _covariance(graph, patch, mean) for patch, mean in zip(patches, mean_patches, strict=True)
    ]
    joined = graph.op("Concat", *covariances, axis=0)
    variances = graph.op("MatMul", joined, graph.float32(group_squares(parameters).T))
    return graph.op("Add", offsets, bias), variances


def _centred(graph: GraphBuilder, pixels: ir.Value, centre: ir.Value, radius: int) -> ir.Value:
    """Return (1, 3, height + 2 radius, width + 2 radius): padded pixels less the mean colour."""
    planar = graph.op("Transpose", pixels, perm=[0, 3, 1, 2])
    padded = graph.op("Pad", planar, graph.int64(0, 0, radius, radius, 0, 0, radius, radius))
    return graph.op("Sub", padded, graph.op("Reshape", centre, graph.int64(1, 3, 1, 1)))


def _averages(graph: GraphBuilder, padded: ir.Value) -> list[ir.Value]:
    """Return averages over 1x1, 2x2 and 4x4 pixels at every position, each from the last."""
    averages = [padded]
    for distance in GRANULARITIES[:-1]:
        averages.append(_average_pairs(graph, averages[-1], distance))
    return averages


def _average_pairs(graph: GraphBuilder, image: ir.Value, distance: int) -> ir.Value:
    """Average each pixel with those ``distance`` below, right and both; AveragePool takes 8x."""
    for axis in (2, 3):
        near = graph.op("Slice", image, graph.int64(0), graph.int64(-distance), graph.int64(axis))
        far = graph.op("Slice", image, graph.int64(distance), graph.int64(_END), graph.int64(axis))
        image = graph.op("Add", near, far)
    return graph.op("Mul", image, graph.float32(0.25))


def _patches(
    graph: GraphBuilder, averaged: ir.Value, block: int, size: ir.Value, kernel: int
) -> ir.Value:
    """Return (3 k k, N): every patch that a conv followed by block averaging sums."""
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


def _covariance(graph: GraphBuilder, patches: ir.Value, mean: ir.Value) -> ir.Value:
    """Return (1, (3 k k)^2): mean of p p^T less the product of the means."""
    count = graph.op("Cast", graph.op("Shape", patches, start=1, end=2), to=int(ir.DataType.FLOAT))
    gram = graph.op("MatMul", patches, graph.op("Transpose", patches, perm=[1, 0]))
    products = graph.op("MatMul", mean, graph.op("Transpose", mean, perm=[1, 0]))
    covariance = graph.op("Sub", graph.op("Div", gram, count), products)
    return graph.op("Reshape", covariance, graph.int64(1, -1))
