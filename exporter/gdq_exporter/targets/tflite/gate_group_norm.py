"""The gate of the paper: group-normalised features at three granularities.

The formulas are those of the ONNX graph (``targets/onnx/gate_group_norm.py``, for whole blocks of
four pixels).
"""

from __future__ import annotations

import numpy as np

from gdq_exporter.targets.predictor_constants import (
    BLOCK,
    GRANULARITIES,
    block_side,
    colour_means,
    group_average,
    group_members,
    group_squares_by_axis,
    head_rows,
    one_colour,
    tap_means,
    tap_products,
)
from gdq_exporter.targets.tflite import operators
from gdq_exporter.targets.tflite.model_builder import GraphBuilder, Tensor
from gdq_models.predictor.parameters import PredictorParameters

_BY_AXIS = (0, 3, 2, 5, 1, 4)
"""Of products (row, column, RGB, row, column, RGB): rows, colours and columns side by side."""


def add_gate(graph: GraphBuilder, pixels: Tensor, parameters: PredictorParameters) -> Tensor:
    """Add the gate with group normalisation; return its logits (1, 3).

    Args:
        graph: where the operators go.
        pixels: (1, side, side, 3) float of 0..255; the side is a multiple of four.
        parameters: of a ``group_norm`` gate.
    """
    if np.any(parameters.mean):
        pixels = operators.arithmetic(graph, "SUB", pixels, graph.constant(parameters.mean))
    means, variances = _statistics(graph, pixels, parameters)
    features = _normalised(graph, means, variances, parameters)
    joined = operators.reshape(graph, features, 1, features.shape[0] * features.shape[1])
    weight, bias = (graph.constant(a) for a in (parameters.gate_weight, parameters.gate_bias))
    return operators.linear(graph, joined, weight, bias)


def _statistics(
    graph: GraphBuilder, pixels: Tensor, parameters: PredictorParameters
) -> tuple[Tensor, Tensor]:
    """Return the means (1, C) and the variances within channels (3, groups)."""
    kernel = parameters.head_weight.shape[-1]
    patches = _patches(graph, pixels, kernel)
    mean = operators.reduce(graph, "MEAN", patches, 1)
    row = operators.reshape(graph, mean, 1, mean.shape[0])
    # Relative to the mean colour no term is much larger than the sum, so float32 suffices.
    colour = operators.linear(graph, row, graph.constant(colour_means(kernel)))
    centre_row = operators.linear(graph, colour, graph.constant(one_colour(kernel)))
    centre = operators.reshape(graph, centre_row, *mean.shape)
    taps = graph.constant(tap_means(kernel).T)
    patch = operators.linear(graph, row, taps)
    heads, bias = graph.constant(head_rows(parameters)), graph.constant(parameters.head_bias)
    means = operators.linear(graph, patch, heads, bias)
    offset = operators.linear(graph, operators.arithmetic(graph, "SUB", row, centre_row), taps)
    moments = _moments(graph, operators.arithmetic(graph, "SUB", patches, centre), kernel)
    products = _products(graph, offset, kernel)
    covariances = operators.arithmetic(graph, "SUB", moments, products)
    squares = graph.constant(group_squares_by_axis(parameters, _BY_AXIS))
    return means, operators.linear(graph, covariances, squares)


def _patches(graph: GraphBuilder, pixels: Tensor, kernel: int) -> Tensor:
    """Return (S S 3, N): each block's patch with the pixels around it, zeros outside the tile."""
    side, count = block_side(kernel), pixels.shape[1] // BLOCK
    blocks = -(-side // BLOCK)
    ends = (kernel // 2, BLOCK * (blocks - 1) - kernel // 2)
    padded = operators.pad(graph, pixels, [(0, 0), ends, ends, (0, 0)])
    phases = operators.space_to_depth(graph, padded, BLOCK)
    _, rows, columns, depth = phases.shape
    flat = operators.reshape(graph, phases, rows * columns, depth)
    planes = operators.transpose(graph, flat, 1, 0)
    # (block row, block column RGB, rows of blocks, columns of blocks)
    planar = operators.reshape(graph, planes, BLOCK, BLOCK * 3, rows, columns)
    wide = _with_neighbours(graph, planar, axis=3, into=1, count=side * 3)
    whole = _with_neighbours(graph, wide, axis=2, into=0, count=side)
    return operators.reshape(graph, whole, side * side * 3, count * count)


def _with_neighbours(graph: GraphBuilder, x: Tensor, *, axis: int, into: int, count: int) -> Tensor:
    """Extend axis ``into`` to ``count`` by what comes next along ``axis``, block by block."""
    step = x.shape[into]
    last = (count - 1) // step
    parts = []
    for distance in range(last + 1):
        length = min(step, count - distance * step)
        part = operators.slice_(graph, x, axis, distance, x.shape[axis] - last + distance)
        parts.append(operators.slice_(graph, part, into, 0, length) if length < step else part)
    return operators.concatenate(graph, parts, into)


def _moments(graph: GraphBuilder, patches: Tensor, kernel: int) -> Tensor:
    """Return (3, (k k 3)^2): second moments of the head's patches at each granularity.

    They are (row, row, RGB, RGB, column, column): what a matrix product sums lies together.
    """
    side, scales = block_side(kernel), len(GRANULARITIES)
    gram = operators.matmul(graph, patches, patches, transpose_b=True)
    by_axis = _by_axis(graph, gram, side)
    products = tap_products(kernel)
    rows = graph.constant(products.reshape(-1, side**2) / patches.shape[1])
    flat = operators.reshape(graph, by_axis, side**2, 9 * side**2)
    by_row = operators.matmul(graph, rows, flat)
    batch = operators.reshape(graph, by_row, scales, 9 * kernel**2, side**2)
    by_column = operators.matmul(graph, batch, graph.constant(products), transpose_b=True)
    return operators.reshape(graph, by_column, scales, 9 * kernel**4)


def _products(graph: GraphBuilder, patch: Tensor, kernel: int) -> Tensor:
    """Return (1, (k k 3)^2): a patch times itself, in the order of moments."""
    size = patch.shape[1]
    column = operators.reshape(graph, patch, size, 1)
    products = operators.arithmetic(graph, "MUL", column, patch)
    return operators.reshape(graph, _by_axis(graph, products, kernel), 1, size * size)


def _by_axis(graph: GraphBuilder, products: Tensor, side: int) -> Tensor:
    """Return (rows, rows, RGB, RGB, columns, columns) of (rows columns RGB, rows columns RGB)."""
    axes = operators.reshape(graph, products, side, side, 3, side, side, 3)
    return operators.transpose(graph, axes, *_BY_AXIS)


def _normalised(
    graph: GraphBuilder, means: Tensor, within: Tensor, parameters: PredictorParameters
) -> Tensor:
    """Return the features' mean (3, C) after group normalisation, per granularity."""
    assert parameters.norm_weight is not None
    assert parameters.norm_bias is not None
    average = graph.constant(group_average(parameters).T)
    spread = graph.constant(group_members(parameters).T)

    def op(operator: str, a: Tensor, b: Tensor) -> Tensor:
        return operators.arithmetic(graph, operator, a, b)

    group_means = operators.linear(graph, operators.linear(graph, means, average), spread)
    centred = op("SUB", means, group_means)
    between = operators.linear(graph, op("MUL", centred, centred), average)
    variance = op("ADD", operators.unary(graph, "RELU", within), between)
    epsilon = graph.constant([parameters.norm_epsilon])
    deviation = operators.unary(graph, "SQRT", op("ADD", variance, epsilon))
    unit = op("DIV", centred, operators.linear(graph, deviation, spread))
    weighted = op("MUL", unit, graph.constant(parameters.norm_weight))
    return op("ADD", weighted, graph.constant(parameters.norm_bias))
