"""Mean and variance of the head conv's features, from whole blocks of 4x4 pixels.

The features of all three granularities within a block follow from one patch of the tile, so that
their second moments are sums over one Gram matrix: a quarter of the memory of tap by tap. With
whole blocks, the three granularities have the same mean.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx_ir as ir

from gdq_exporter.targets.onnx.graph_builder import GraphBuilder
from gdq_exporter.targets.predictor_constants import (
    BLOCK,
    GRANULARITIES,
    block_side,
    colour_means,
    group_squares_by_axis,
    head_rows,
    one_colour,
    tap_means,
    tap_products,
)
from gdq_models.predictor.parameters import PredictorParameters

_END = np.iinfo(np.int32).max
_BY_AXIS = (0, 3, 1, 4, 2, 5)
"""Of products (row, column, RGB, row, column, RGB): rows, columns and colours side by side."""


def add_statistics(
    graph: GraphBuilder, tile: ir.Value, parameters: PredictorParameters
) -> Sequence[ir.Value]:
    """Add the features' means and the variance within the channels of each group.

    Args:
        graph: where the operators go.
        tile: (1, height, width, 3) uint8, or float32 less ``parameters.mean``; sides are
            multiples of four.
        parameters: of a ``group_norm`` gate.

    Returns:
        Means (1, C), and variances (3, groups) of fine, median, coarse, both float32.
    """
    kernel = parameters.head_weight.shape[-1]
    patches = _patches(graph, tile, kernel)
    mean = graph.op("ReduceMean", patches, graph.int64(0))
    # Relative to the mean colour no term is much larger than the sum, so float32 suffices.
    colour = graph.op("MatMul", mean, graph.float32(colour_means(kernel).T))
    centre = graph.op("MatMul", colour, graph.float32(one_colour(kernel).T))
    taps, heads = graph.float32(tap_means(kernel)), graph.float32(head_rows(parameters).T)
    patch = graph.op("MatMul", mean, taps)
    means = graph.op("Gemm", patch, heads, graph.float32(parameters.head_bias))
    offset = graph.op("MatMul", graph.op("Sub", mean, centre), taps)
    moments = _moments(graph, graph.op("Sub", patches, centre), kernel)
    covariances = graph.op("Sub", moments, _products(graph, offset, kernel))
    squares = graph.float32(group_squares_by_axis(parameters, _BY_AXIS).T)
    return means, graph.op("MatMul", covariances, squares)


def _patches(graph: GraphBuilder, tile: ir.Value, kernel: int) -> ir.Value:
    """Return (N, S S 3) float32: each block with the pixels around it, zeros outside the tile.

    Pixels are moved while they are still bytes, and in contiguous pieces.
    """
    side = block_side(kernel)
    before, after = kernel // 2, BLOCK * ((side - 1) // BLOCK) - kernel // 2
    padded = graph.op("Pad", tile, graph.int64(0, before, before, 0, 0, after, after, 0))
    columns = graph.op("Reshape", padded, graph.int64(0, 0, -1, BLOCK * 3))
    wide = _with_neighbours(graph, columns, axis=2, count=side * 3, step=BLOCK * 3)
    rows = graph.op("Reshape", wide, graph.int64(-1, BLOCK, 0, side * 3))
    # (rows of blocks, columns of blocks, block row, patch column RGB)
    blocks = graph.op("Transpose", rows, perm=[0, 2, 1, 3])
    flat = graph.op("Reshape", blocks, graph.int64(0, 0, BLOCK * side * 3))
    whole = _with_neighbours(graph, flat, axis=0, count=side * side * 3, step=BLOCK * side * 3)
    patches = graph.op("Reshape", whole, graph.int64(-1, side * side * 3))
    return graph.op("Cast", patches, to=int(ir.DataType.FLOAT))


def _with_neighbours(
    graph: GraphBuilder, x: ir.Value, *, axis: int, count: int, step: int
) -> ir.Value:
    """Extend the last axis from ``step`` to ``count`` by what comes next along ``axis``."""
    last = (count - 1) // step
    parts = []
    for distance in range(last + 1):
        end = distance - last if distance < last else _END
        length = min(step, count - distance * step)
        bounds = graph.int64(distance, 0), graph.int64(end, length)
        parts.append(graph.op("Slice", x, *bounds, graph.int64(axis, -1)))
    return graph.op("Concat", *parts, axis=-1)


def _moments(graph: GraphBuilder, patches: ir.Value, kernel: int) -> ir.Value:
    """Return (3, (k k 3)^2): second moments of the head's patches at each granularity.

    They are (row, row, column, column, RGB, RGB): what a matrix product sums lies together, and
    colours stay innermost, so that pieces of three move as one.
    """
    side, scales = block_side(kernel), len(GRANULARITIES)
    count = graph.op("Cast", graph.op("Shape", patches, start=0, end=1), to=int(ir.DataType.FLOAT))
    gram = graph.op("MatMul", graph.op("Transpose", patches, perm=[1, 0]), patches)
    by_axis = _by_axis(graph, gram, side)
    products = tap_products(kernel)
    rows = graph.float32(products.reshape(-1, side**2))
    by_row = graph.op("MatMul", rows, graph.op("Reshape", by_axis, graph.int64(side**2, -1)))
    by_row = graph.op("Reshape", by_row, graph.int64(scales, kernel**2, side**2, 9))
    by_column = graph.op("MatMul", graph.float32(products[:, None]), by_row)
    return graph.op("Div", graph.op("Reshape", by_column, graph.int64(scales, -1)), count)


def _products(graph: GraphBuilder, patch: ir.Value, kernel: int) -> ir.Value:
    """Return (1, (k k 3)^2): a patch times itself, in the order of moments."""
    column = graph.op("Reshape", patch, graph.int64(-1, 1))
    products = _by_axis(graph, graph.op("Mul", column, patch), kernel)
    return graph.op("Reshape", products, graph.int64(1, -1))


def _by_axis(graph: GraphBuilder, products: ir.Value, side: int) -> ir.Value:
    """Return (rows, rows, columns, columns, RGB, RGB) of (rows columns RGB, rows columns RGB)."""
    axes = graph.op("Reshape", products, graph.int64(side, side, 3, side, side, 3))
    return graph.op("Transpose", axes, perm=_BY_AXIS)
