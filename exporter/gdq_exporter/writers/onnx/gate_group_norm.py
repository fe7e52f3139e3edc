"""The gate of the paper: group-normalised features at three granularities, from Gram matrices."""

from __future__ import annotations

from itertools import product

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from gdq_exporter.writers.onnx.graph_builder import GraphBuilder
from gdq_models.predictor.parameters import PredictorParameters

_GREY = 127.5
"""Subtracted from every pixel, padding too, and returned through the bias: keeps the difference
of squares that is a variance well above float32's noise."""
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
    radius = parameters.head_weight.shape[-1] // 2
    planar = graph.op("Transpose", pixels, perm=[0, 3, 1, 2])
    padding = graph.int64(0, 0, radius, radius, 0, 0, radius, radius)
    padded = graph.op("Sub", graph.op("Pad", planar, padding), graph.float32(_GREY))
    kernel = parameters.head_weight.shape[-1]
    size = graph.op("Concat", height, width, axis=0)
    patches = [
        _patches(graph, averaged, block, size, kernel)
        for block, averaged in zip(_BLOCKS, _averages(graph, padded), strict=True)
    ]
    heads = _head_matrix(parameters)
    # Pooling keeps the top-left multiple of four pixels: the mean over Z3 is that of all three.
    moments = [_second_moments(graph, patch) for patch in patches]
    mean = graph.op("MatMul", _mean(graph, moments[-1]), graph.float32(heads.T))
    features = [
        _normalised(graph, mean, moment, heads, parameters, scale)
        for scale, moment in enumerate(moments)
    ]
    joined = graph.op("Concat", *features, axis=1)
    weight, bias = graph.float32(parameters.gate_weight), graph.float32(parameters.gate_bias)
    return graph.op("Gemm", joined, weight, bias, transB=1)


def _head_matrix(parameters: PredictorParameters) -> NDArray[np.float64]:
    """(C, 3 k k + 1): head weights in the order of a patch, then the bias for grey-free pixels."""
    weight = parameters.head_weight.transpose(0, 2, 3, 1).reshape(len(parameters.head_bias), -1)
    bias = parameters.head_bias + _GREY * weight.sum(axis=1)
    return np.concatenate([weight, bias[:, None]], axis=1)


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
    """(3 k k + 1, N): every patch that a conv followed by block averaging sums, and a one."""
    step = graph.int64(block, block)
    span = graph.op("Mul", graph.op("Div", size, step), step)
    taps = []
    for row, column in product(range(kernel), repeat=2):
        start = graph.int64(row, column)
        # The last tap starts block pixels before the end of the span.
        end = graph.op("Add", span, graph.int64(row - block + 1, column - block + 1))
        taps.append(graph.op("Slice", averaged, start, end, graph.int64(2, 3), step))
    stacked = graph.op("Concat", *taps, axis=1)
    flat = graph.op("Reshape", stacked, graph.int64(3 * kernel * kernel, -1))
    first = graph.op("Slice", flat, graph.int64(0), graph.int64(1), graph.int64(0))
    ones = graph.op("Add", graph.op("Mul", first, graph.float32(0)), graph.float32(1))
    return graph.op("Concat", flat, ones, axis=0)


def _second_moments(graph: GraphBuilder, patches: ir.Value) -> ir.Value:
    """Mean over all patches of p p^T; its last row is the mean patch, for p ends with a one."""
    count = graph.op("Cast", graph.op("Shape", patches, start=1, end=2), to=int(ir.DataType.FLOAT))
    gram = graph.op("MatMul", patches, graph.op("Transpose", patches, perm=[1, 0]))
    return graph.op("Div", gram, count)


def _mean(graph: GraphBuilder, moments: ir.Value) -> ir.Value:
    return graph.op("Slice", moments, graph.int64(-1), graph.int64(_END), graph.int64(0))


def _normalised(
    graph: GraphBuilder,
    mean: ir.Value,
    moments: ir.Value,
    heads: NDArray[np.float64],
    parameters: PredictorParameters,
    scale: int,
) -> ir.Value:
    """(1, C): what the mean feature becomes after group normalisation at one granularity."""
    assert parameters.groups is not None
    assert parameters.norm_weight is not None
    assert parameters.norm_bias is not None
    grouped = heads.reshape(parameters.groups, -1, heads.shape[1])
    squares = np.einsum("gci,gcj->ijg", grouped, grouped) / grouped.shape[1]
    flat = graph.op("Reshape", moments, graph.int64(1, -1))
    square = graph.op("MatMul", flat, graph.float32(squares.reshape(-1, parameters.groups)))
    group_mean = graph.op("MatMul", _mean(graph, moments), graph.float32(grouped.mean(axis=1).T))
    variance = graph.op("Sub", square, graph.op("Mul", group_mean, group_mean))
    deviation = graph.op(
        "Sqrt",
        graph.op("Add", graph.op("Relu", variance), graph.float32(parameters.norm_epsilon)),
    )
    spread = graph.float32(np.repeat(np.eye(parameters.groups), grouped.shape[1], axis=1))
    centred = graph.op("Sub", mean, graph.op("MatMul", group_mean, spread))
    unit = graph.op("Div", centred, graph.op("MatMul", deviation, spread))
    weighted = graph.op("Mul", unit, graph.float32(parameters.norm_weight[scale]))
    return graph.op("Add", weighted, graph.float32(parameters.norm_bias[scale]))
