"""Sensitivity heads as a TFLite graph; what it computes stands in ``targets/onnx/sensitivity``.

Comparisons and whole numbers run on plain kernels; XNNPACK has no such operators.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from gdq_core.sensitivity.heads import HEADS, SHIFT
from gdq_core.sensitivity.rule import SensitivityRule
from gdq_core.sensitivity.statistics import BLOCK, LUMA_WEIGHTS, STATISTICS, STRONG
from gdq_exporter.targets.onnx.sensitivity import SENSITIVITY
from gdq_exporter.targets.predictor_constants import LARGEST_EXACT, log_thresholds
from gdq_exporter.targets.tflite import operators
from gdq_exporter.targets.tflite.model_builder import PIXELS, GraphBuilder, Tensor
from gdq_exporter.trace import INPUT


def add_sensitivity(graph: GraphBuilder, rule: SensitivityRule) -> None:
    """Writes the heads for tiles of the side that they were fitted to.

    In: ``tile`` (1, side, side, 3) uint8. Out: ``sensitivity`` (1, 3) int32.
    """
    side = rule.heads.side
    codes = graph.input(INPUT, (1, side, side, 3), np.uint8, PIXELS)
    luma = _add_luma(graph, operators.dequantize(graph, codes))
    statistics = operators.reshape(graph, _add_statistics(graph, luma), STATISTICS, 1)
    products = _whole(graph, "MUL", _cast(graph, statistics), rule.heads.weights.T)
    sums = operators.reduce(graph, "SUM", products, 0)
    shifted = _whole(graph, "ADD", sums, rule.heads.biases[None])
    heads = _whole(graph, "FLOOR_DIV", shifted, np.full((1, HEADS), 1 << SHIFT))
    graph.finish({SENSITIVITY: heads})


def _add_luma(graph: GraphBuilder, pixels: Tensor) -> Tensor:
    """(1, side, side, 1)."""
    side = pixels.shape[1]
    flat = operators.reshape(graph, pixels, side * side, 3)
    weighted = operators.linear(graph, flat, graph.constant([LUMA_WEIGHTS]), graph.constant([128]))
    return operators.reshape(graph, _shifted(graph, weighted, 8), 1, side, side, 1)


def _add_statistics(graph: GraphBuilder, luma: Tensor) -> Tensor:
    """(9,) float."""
    diagonals = _block_maxima(graph, _diagonal(graph, luma))
    steps = _block_maxima(graph, _step(graph, luma))
    by_two = _sums_by_two(graph, luma)
    by_four = _sums_by_two(graph, by_two)
    diagonals_by_two = _diagonal(graph, by_two)
    squares = _shifted(graph, _square(graph, _shifted(graph, diagonals_by_two, 2)), 6)
    numbers = (
        _log_of_sum(graph, _shifted(graph, _square(graph, diagonals), 4)),
        _sum_of_logs(graph, diagonals, 2 * 255),
        _log_of_sum(graph, _strong(graph, diagonals)),
        _log_of_sum(graph, _strong(graph, steps)),
        _sum_of_logs(graph, _diagonal(graph, by_four), 2 * 255 * BLOCK**2),
        _sum_of_logs(graph, _laplacian(graph, by_four), 4 * 255 * BLOCK**2),
        _log_of_sum(graph, diagonals_by_two),
        _log_of_sum(graph, squares),
        _log_of_sum(graph, luma),
    )
    return operators.concatenate(graph, numbers, 0)


def _rows(graph: GraphBuilder, x: Tensor, start: int, less: int) -> Tensor:
    """All but ``less`` rows, from ``start`` on."""
    return operators.slice_(graph, x, 1, start, start + x.shape[1] - less)


def _columns(graph: GraphBuilder, x: Tensor, start: int, less: int) -> Tensor:
    return operators.slice_(graph, x, 2, start, start + x.shape[2] - less)


def _across(graph: GraphBuilder, x: Tensor) -> Tensor:
    left, right = (_columns(graph, x, start, 1) for start in (0, 1))
    return operators.arithmetic(graph, "SUB", right, left)


def _down(graph: GraphBuilder, x: Tensor) -> Tensor:
    upper, lower = (_rows(graph, x, start, 1) for start in (0, 1))
    return operators.arithmetic(graph, "SUB", lower, upper)


def _size(graph: GraphBuilder, x: Tensor) -> Tensor:
    return operators.unary(graph, "ABS", x)


def _diagonal(graph: GraphBuilder, x: Tensor) -> Tensor:
    return _size(graph, _down(graph, _across(graph, x)))


def _step(graph: GraphBuilder, x: Tensor) -> Tensor:
    across = _rows(graph, _size(graph, _across(graph, x)), 0, 1)
    down = _columns(graph, _size(graph, _down(graph, x)), 0, 1)
    return operators.arithmetic(graph, "MAXIMUM", across, down)


def _laplacian(graph: GraphBuilder, x: Tensor) -> Tensor:
    rows, columns = _rows(graph, x, 1, 2), _columns(graph, x, 1, 2)
    total = operators.arithmetic(graph, "MUL", _columns(graph, rows, 1, 2), graph.constant([4.0]))
    for start in (0, 2):
        total = operators.arithmetic(graph, "SUB", total, _rows(graph, columns, start, 2))
        total = operators.arithmetic(graph, "SUB", total, _columns(graph, rows, start, 2))
    return _size(graph, total)


def _block_maxima(graph: GraphBuilder, x: Tensor) -> Tensor:
    """Of one row and column less than whole blocks; nothing is below zero."""
    padded = operators.pad(graph, x, [(0, 0), (0, 1), (0, 1), (0, 0)])
    return operators.pool(graph, "MAX_POOL_2D", padded, BLOCK)


def _sums_by_two(graph: GraphBuilder, x: Tensor) -> Tensor:
    mean = operators.pool(graph, "AVERAGE_POOL_2D", x, 2)
    return operators.arithmetic(graph, "MUL", mean, graph.constant([4.0]))


def _shifted(graph: GraphBuilder, x: Tensor, places: int) -> Tensor:
    scaled = operators.arithmetic(graph, "MUL", x, graph.constant([2.0**-places]))
    return operators.unary(graph, "FLOOR", scaled)


def _square(graph: GraphBuilder, x: Tensor) -> Tensor:
    return operators.arithmetic(graph, "MUL", x, x)


def _strong(graph: GraphBuilder, x: Tensor) -> Tensor:
    """Whole gray levels: one if at least ``STRONG``, else zero."""
    above = operators.arithmetic(graph, "SUB", x, graph.constant([float(STRONG - 1)]))
    floored = operators.arithmetic(graph, "MAXIMUM", above, graph.constant([0.0]))
    return operators.arithmetic(graph, "MINIMUM", floored, graph.constant([1.0]))


def _sum_of_logs(graph: GraphBuilder, x: Tensor, largest: int) -> Tensor:
    """(1,): of every number, how many thresholds of the logarithm it reaches.

    All are whole: the difference to a threshold, cut to 0..1, says whether it is reached, and
    XNNPACK has subtraction and clipping, but no comparison.
    """
    row = operators.reshape(graph, x, 1, int(np.prod(x.shape)))
    below = graph.constant(log_thresholds(largest)[:, None] - 1)
    above = operators.arithmetic(graph, "SUB", row, below)
    floored = operators.arithmetic(graph, "MAXIMUM", above, graph.constant([0.0]))
    reached = operators.arithmetic(graph, "MINIMUM", floored, graph.constant([1.0]))
    return operators.reshape(graph, operators.reduce(graph, "SUM", reached, 0, 1), 1)


def _log_of_sum(graph: GraphBuilder, x: Tensor) -> Tensor:
    flat = operators.reshape(graph, x, 1, int(np.prod(x.shape)))
    return _sum_of_logs(graph, operators.reduce(graph, "SUM", flat, 1), LARGEST_EXACT)


def _cast(graph: GraphBuilder, x: Tensor) -> Tensor:
    options = schema.CastOptionsT()
    options.inDataType, options.outDataType = schema.TensorType.FLOAT32, schema.TensorType.INT32
    return graph.op("CAST", [x], x.shape, np.int32, options=options)


_OPTIONS = {
    "MUL": schema.MulOptionsT,
    "ADD": schema.AddOptionsT,
    "FLOOR_DIV": schema.FloorDivOptionsT,
}


def _whole(graph: GraphBuilder, operator: str, x: Tensor, constant: Any) -> Tensor:
    """MUL, ADD, FLOOR_DIV of int32, with broadcasting."""
    numbers = graph.constant(constant, np.int32)
    shape = np.broadcast_shapes(x.shape, numbers.shape)
    return graph.op(operator, [x, numbers], shape, np.int32, options=_OPTIONS[operator]())
