"""The gate of the paper: group-normalised features at three granularities, from Gram matrices.

The formulas are those of the ONNX graph (``writers/onnx/gate_group_norm.py``). Patches are columns
of one matrix, whose product with its transpose is the Gram matrix. So colours must lie apart; a
product with the identity takes them apart, exactly and three times as fast as slices.
"""

from __future__ import annotations

import numpy as np

from gdq_exporter.writers.predictor_constants import group_members, group_squares, head_rows
from gdq_exporter.writers.tflite import operators
from gdq_exporter.writers.tflite.model_builder import GraphBuilder, Tensor
from gdq_models.predictor.parameters import PredictorParameters

_BLOCKS = (1, 2, 4)
"""Pixels averaged for Z1, Z2 and Z3."""


def add_gate(graph: GraphBuilder, pixels: Tensor, parameters: PredictorParameters) -> Tensor:
    """Logits (1, 3) of the gate with group normalisation.

    Args:
        graph: where the operators go.
        pixels: (1, side, side, 3) float of 0..255.
        parameters: of a ``group_norm`` gate.
    """
    if np.any(parameters.mean):
        pixels = operators.arithmetic(graph, "SUB", pixels, graph.constant(parameters.mean))
    kernel, side = parameters.head_weight.shape[-1], pixels.shape[1]
    centre = operators.reduce(graph, "MEAN", pixels, 1, 2)
    averages = _averages(graph, _centred(graph, pixels, centre, kernel // 2))
    patches = [
        _patches(graph, averaged, block, side // block, kernel)
        for block, averaged in zip(_BLOCKS, averages, strict=True)
    ]
    mean_patches = [operators.reduce(graph, "MEAN", patch, 1) for patch in patches]
    means = _feature_means(graph, mean_patches, centre, parameters)
    covariances = [
        _covariance(graph, patch, mean) for patch, mean in zip(patches, mean_patches, strict=True)
    ]
    # Pooling keeps the top-left multiple of four pixels: the mean over Z3 is that of all three.
    features = [
        _normalised(graph, means[-1], mean, covariance, parameters, scale)
        for scale, (mean, covariance) in enumerate(zip(means, covariances, strict=True))
    ]
    joined = operators.concatenate(graph, features, 1)
    weight, bias = (graph.constant(a) for a in (parameters.gate_weight, parameters.gate_bias))
    return operators.linear(graph, joined, weight, bias)


def _centred(graph: GraphBuilder, pixels: Tensor, centre: Tensor, radius: int) -> Tensor:
    """(3, side + 2 radius + 3, side + 2 radius): zero-padded colours less their mean.

    The last three rows are there to be cut off: then every block of rows is whole.
    """
    side = pixels.shape[1]
    rows = operators.reshape(graph, pixels, side * side, 3)
    colours = operators.matmul(graph, graph.constant(np.eye(3)), rows, transpose_b=True)
    planes = operators.reshape(graph, colours, 3, side, side)
    below = radius + _BLOCKS[-1] - 1
    padded = operators.pad(graph, planes, [(0, 0), (radius, below), (radius, radius)])
    return operators.arithmetic(graph, "SUB", padded, operators.reshape(graph, centre, 3, 1, 1))


def _averages(graph: GraphBuilder, padded: Tensor) -> list[Tensor]:
    """Averages over 1x1, 2x2 and 4x4 pixels at every position; each halves what the last summed."""
    averages = [padded]
    for distance in _BLOCKS[:-1]:
        averages.append(_average_pairs(graph, averages[-1], distance))
    return averages


def _average_pairs(graph: GraphBuilder, image: Tensor, distance: int) -> Tensor:
    """Averages each pixel with those ``distance`` below, right, and both."""
    for axis in (1, 2):
        length = image.shape[axis]
        near = operators.slice_(graph, image, axis, 0, length - distance)
        far = operators.slice_(graph, image, axis, distance, length)
        image = operators.arithmetic(graph, "ADD", near, far)
    return operators.arithmetic(graph, "MUL", image, graph.constant([0.25]))


def _patches(graph: GraphBuilder, averaged: Tensor, block: int, count: int, kernel: int) -> Tensor:
    """(k k 3, count^2): every patch that a conv followed by block averaging sums."""
    # Columns, then rows: fewer and longer pieces than tap by tap.
    columns = [_columns(graph, averaged, tap, block, count) for tap in range(kernel)]
    stacked = operators.concatenate(graph, columns, 0)
    rows = [_rows(graph, stacked, tap, block, count) for tap in range(kernel)]
    patches = operators.concatenate(graph, rows, 0)
    return operators.reshape(graph, patches, 3 * kernel * kernel, count * count)


def _columns(graph: GraphBuilder, x: Tensor, start: int, step: int, count: int) -> Tensor:
    """Every ``step``-th column of (channels, rows, columns)."""
    if step == 1:
        return operators.slice_(graph, x, 2, start, start + count)
    # A product picks single numbers faster than a strided slice, for which XNNPACK has no kernel.
    channels, height, width = x.shape
    picked = np.zeros((count, width))
    picked[np.arange(count), start + step * np.arange(count)] = 1
    lines = operators.reshape(graph, x, channels * height, width)
    columns = operators.linear(graph, lines, graph.constant(picked))
    return operators.reshape(graph, columns, channels, height, count)


def _rows(graph: GraphBuilder, x: Tensor, start: int, step: int, count: int) -> Tensor:
    """Every ``step``-th row of (channels, rows, columns)."""
    channels, _, width = x.shape
    span = operators.slice_(graph, x, 1, start, start + step * count)
    if step == 1:
        return span
    blocks = operators.reshape(graph, span, channels, count, step, width)
    first = operators.slice_(graph, blocks, 2, 0, 1)
    return operators.reshape(graph, first, channels, count, width)


def _feature_means(
    graph: GraphBuilder,
    mean_patches: list[Tensor],
    centre: Tensor,
    parameters: PredictorParameters,
) -> list[Tensor]:
    """(1, C) of each granularity: the head applied to its mean patch, from the mean colour."""
    colour = operators.reshape(graph, centre, 1, 3)
    per_colour = graph.constant(parameters.head_weight.sum(axis=(2, 3)))
    at_centre = operators.linear(graph, colour, per_colour, graph.constant(parameters.head_bias))
    heads = graph.constant(head_rows(parameters))
    rows = [operators.reshape(graph, patch, 1, patch.shape[0]) for patch in mean_patches]
    return [
        operators.arithmetic(graph, "ADD", operators.linear(graph, row, heads), at_centre)
        for row in rows
    ]


def _covariance(graph: GraphBuilder, patches: Tensor, mean: Tensor) -> Tensor:
    """(1, (k k 3)^2): mean of p p^T less the product of the means."""
    size, count = patches.shape
    gram = operators.matmul(graph, patches, patches, transpose_b=True)
    moment = operators.arithmetic(graph, "MUL", gram, graph.constant([1 / count]))
    row = operators.reshape(graph, mean, 1, size)
    products = operators.arithmetic(graph, "MUL", mean, row)
    covariance = operators.arithmetic(graph, "SUB", moment, products)
    return operators.reshape(graph, covariance, 1, size * size)


def _normalised(
    graph: GraphBuilder,
    pooled_mean: Tensor,
    mean: Tensor,
    covariance: Tensor,
    parameters: PredictorParameters,
    scale: int,
) -> Tensor:
    """(1, C): what the pooled mean becomes after group normalisation at one granularity."""
    assert parameters.norm_weight is not None
    assert parameters.norm_bias is not None
    members = group_members(parameters)
    average = graph.constant(members / members.sum(axis=1, keepdims=True))
    spread = graph.constant(members.T)

    def op(operator: str, a: Tensor, b: Tensor) -> Tensor:
        return operators.arithmetic(graph, operator, a, b)

    within = operators.linear(graph, covariance, graph.constant(group_squares(parameters)))
    group_mean = operators.linear(graph, operators.linear(graph, mean, average), spread)
    distances = op("SQUARED_DIFFERENCE", mean, group_mean)
    between = operators.linear(graph, distances, average)
    variance = op("ADD", operators.unary(graph, "RELU", within), between)
    epsilon = graph.constant([parameters.norm_epsilon])
    deviation = operators.unary(graph, "SQRT", op("ADD", variance, epsilon))
    centred = op("SUB", pooled_mean, group_mean)
    unit = op("DIV", centred, operators.linear(graph, deviation, spread))
    weighted = op("MUL", unit, graph.constant(parameters.norm_weight[scale]))
    return op("ADD", weighted, graph.constant(parameters.norm_bias[scale]))
