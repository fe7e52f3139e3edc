"""Sensitivity heads as a graph: tile -> noise, error, interpolation, of the tiling's size only.

What is computed stands in ``gdq_core/sensitivity/statistics.py``. Floats hold whole numbers below
2^24 throughout, so that every one is exact; the heads are sums of int64.
"""

from __future__ import annotations

import onnx_ir as ir

from gdq_core.sensitivity.heads import HEADS, SHIFT
from gdq_core.sensitivity.rule import SensitivityRule
from gdq_core.sensitivity.statistics import BLOCK, LUMA_WEIGHTS, STRONG
from gdq_exporter.targets.onnx.graph_builder import GraphBuilder
from gdq_exporter.targets.predictor_constants import LARGEST_EXACT, log_thresholds
from gdq_exporter.trace import INPUT

SENSITIVITY = "sensitivity"
_FLOOR_OFFSET = 1 << 40
"""Division of int64 rounds towards zero: what is above zero is rounded downwards."""


def build_sensitivity(rule: SensitivityRule) -> ir.Model:
    """Builds the graph.

    In: ``tile`` (1, side, side, 3) uint8. Out: ``sensitivity`` (1, 3) int32.
    """
    side = rule.heads.side
    tile = ir.val(INPUT, ir.DataType.UINT8, [1, side, side, 3])
    graph = GraphBuilder()
    statistics = _add_statistics(graph, _add_luma(graph, tile, side))
    whole = graph.op("Cast", statistics, to=int(ir.DataType.INT64))
    products = graph.op("Mul", whole, graph.matrix_int64(rule.heads.weights))
    sums = graph.op("ReduceSum", products, graph.int64(1), keepdims=0)
    offset = [int(bias) + _FLOOR_OFFSET for bias in rule.heads.biases]
    shifted = graph.op("Add", sums, graph.int64(*offset))
    heads = graph.op("Div", shifted, graph.int64(1 << SHIFT))
    heads = graph.op("Sub", heads, graph.int64(_FLOOR_OFFSET >> SHIFT))
    heads = graph.op("Reshape", heads, graph.int64(1, HEADS))
    output = graph.op("Cast", heads, to=int(ir.DataType.INT32))
    output.name, output.dtype = SENSITIVITY, ir.DataType.INT32
    output.shape = ir.Shape([1, HEADS])
    return graph.model(inputs=[tile], outputs=[output])


def _add_luma(graph: GraphBuilder, tile: ir.Value, side: int) -> ir.Value:
    """(1, 1, side, side)."""
    pixels = graph.op("Cast", tile, to=int(ir.DataType.FLOAT))
    weights = graph.float32([[weight] for weight in LUMA_WEIGHTS])
    rounded = graph.op("Add", graph.op("MatMul", pixels, weights), graph.float32(128))
    luma = _add_shifted(graph, rounded, 8)
    return graph.op("Reshape", luma, graph.int64(1, 1, side, side))


def _add_statistics(graph: GraphBuilder, luma: ir.Value) -> ir.Value:
    """(9,) float."""
    diagonals = _add_block_maxima(graph, _add_diagonal(graph, luma))
    steps = _add_block_maxima(graph, _add_step(graph, luma))
    by_two = _add_sums_by_two(graph, luma)
    by_four = _add_sums_by_two(graph, by_two)
    diagonals_by_two = _add_diagonal(graph, by_two)
    squares = _add_shifted(graph, _add_square(graph, _add_shifted(graph, diagonals_by_two, 2)), 6)
    numbers = (
        _add_log_of_sum(graph, _add_shifted(graph, _add_square(graph, diagonals), 4)),
        _add_sum_of_logs(graph, diagonals, 2 * 255),
        _add_log_of_sum(graph, _add_strong(graph, diagonals)),
        _add_log_of_sum(graph, _add_strong(graph, steps)),
        _add_sum_of_logs(graph, _add_diagonal(graph, by_four), 2 * 255 * BLOCK**2),
        _add_sum_of_logs(graph, _add_laplacian(graph, by_four), 4 * 255 * BLOCK**2),
        _add_log_of_sum(graph, diagonals_by_two),
        _add_log_of_sum(graph, squares),
        _add_log_of_sum(graph, luma),
    )
    return graph.op("Concat", *numbers, axis=0)


def _part(graph: GraphBuilder, x: ir.Value, rows: slice, columns: slice) -> ir.Value:
    starts, stops = zip(*((part.start or 0, part.stop) for part in (rows, columns)), strict=True)
    last = 1 << 30
    ends = [last if stop is None else stop for stop in stops]
    return graph.op("Slice", x, graph.int64(*starts), graph.int64(*ends), graph.int64(2, 3))


_ALL, _FIRST, _LATER, _INNER = slice(0, None), slice(0, -1), slice(1, None), slice(1, -1)
_BEFORE, _AFTER = slice(0, -2), slice(2, None)


def _add_difference(graph: GraphBuilder, x: ir.Value, *, across: bool) -> ir.Value:
    """Of neighbours along one axis."""
    places = [(_ALL, part) if across else (part, _ALL) for part in (_LATER, _FIRST)]
    return graph.op("Sub", *(_part(graph, x, *place) for place in places))


def _add_diagonal(graph: GraphBuilder, x: ir.Value) -> ir.Value:
    across = _add_difference(graph, x, across=True)
    return graph.op("Abs", _add_difference(graph, across, across=False))


def _add_step(graph: GraphBuilder, x: ir.Value) -> ir.Value:
    across = graph.op("Abs", _add_difference(graph, x, across=True))
    down = graph.op("Abs", _add_difference(graph, x, across=False))
    return graph.op("Max", _part(graph, across, _FIRST, _ALL), _part(graph, down, _ALL, _FIRST))


def _add_laplacian(graph: GraphBuilder, x: ir.Value) -> ir.Value:
    middle = graph.op("Mul", _part(graph, x, _INNER, _INNER), graph.float32(4))
    around = graph.op(
        "Sum",
        _part(graph, x, _BEFORE, _INNER),
        _part(graph, x, _AFTER, _INNER),
        _part(graph, x, _INNER, _BEFORE),
        _part(graph, x, _INNER, _AFTER),
    )
    return graph.op("Abs", graph.op("Sub", middle, around))


def _add_block_maxima(graph: GraphBuilder, x: ir.Value) -> ir.Value:
    """Of one row and column less than whole blocks; nothing is below zero."""
    block = [BLOCK, BLOCK]
    return graph.op("MaxPool", x, kernel_shape=block, strides=block, pads=[0, 0, 1, 1])


def _add_sums_by_two(graph: GraphBuilder, x: ir.Value) -> ir.Value:
    mean = graph.op("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
    return graph.op("Mul", mean, graph.float32(4))


def _add_shifted(graph: GraphBuilder, x: ir.Value, places: int) -> ir.Value:
    return graph.op("Floor", graph.op("Mul", x, graph.float32(2.0**-places)))


def _add_square(graph: GraphBuilder, x: ir.Value) -> ir.Value:
    return graph.op("Mul", x, x)


def _add_strong(graph: GraphBuilder, x: ir.Value) -> ir.Value:
    strong = graph.op("GreaterOrEqual", x, graph.float32(STRONG))
    return graph.op("Cast", strong, to=int(ir.DataType.FLOAT))


def _add_sum_of_logs(graph: GraphBuilder, x: ir.Value, largest: int) -> ir.Value:
    """(1,): of every number, how many thresholds of the logarithm it reaches."""
    row = graph.op("Reshape", x, graph.int64(1, -1))
    reached = graph.op("GreaterOrEqual", row, graph.float32(log_thresholds(largest)[:, None]))
    counts = graph.op("Cast", reached, to=int(ir.DataType.FLOAT))
    total = graph.op("ReduceSum", counts, graph.int64(0, 1), keepdims=0)
    return graph.op("Reshape", total, graph.int64(1))


def _add_log_of_sum(graph: GraphBuilder, x: ir.Value) -> ir.Value:
    total = graph.op("ReduceSum", graph.op("Reshape", x, graph.int64(-1)), keepdims=1)
    return _add_sum_of_logs(graph, total, LARGEST_EXACT)
