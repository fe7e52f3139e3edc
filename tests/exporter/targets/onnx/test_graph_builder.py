from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
from numpy.typing import NDArray

from exporter import oracle
from exporter.networks import array
from gdq_exporter.targets.onnx.graph_builder import GraphBuilder


def test_builds_a_graph_that_checks_and_runs() -> None:
    graph = GraphBuilder()
    x = ir.val("x", ir.DataType.FLOAT, [2, 3])
    flat = graph.op("Reshape", graph.op("Mul", x, graph.float32(2)), graph.int64(3, 2))
    total = graph.op("ReduceSum", flat, graph.int64(0), keepdims=0)
    total.name, total.dtype, total.shape = "total", ir.DataType.FLOAT, ir.Shape([2])
    model = graph.model([x], [total])
    onnx.checker.check_model(ir.to_proto(model), full_check=True)
    pixels = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(oracle.output(model, pixels), [12, 18])


def test_constants_have_type_and_shape() -> None:
    graph = GraphBuilder()
    cases: list[tuple[ir.Value, np.generic | NDArray[Any]]] = [
        (graph.float32(2), np.float32(2)),
        (graph.float32(np.ones((2, 3))), np.ones((2, 3), np.float32)),
        (graph.int64(1, 2), np.array([1, 2])),
        (graph.matrix_int64(np.array([[1], [2]])), np.array([[1], [2]])),
    ]
    for value, expected in cases:
        stored = array(value)
        assert (stored.dtype, stored.shape) == (expected.dtype, expected.shape)
        np.testing.assert_array_equal(stored, expected)


def test_split_leaves_the_last_part_shorter() -> None:
    graph = GraphBuilder()
    x = ir.val("x", ir.DataType.FLOAT, [1, 7])
    parts = graph.split(x, 4, axis=1)
    totals = [graph.op("ReduceSum", part, keepdims=0) for part in parts]
    for number, total in enumerate(totals):
        total.name, total.dtype, total.shape = f"total{number}", ir.DataType.FLOAT, ir.Shape([])
    model = graph.model([x], totals)
    pixels = np.arange(7, dtype=np.float32)[None]
    assert [float(total) for total in oracle.execute(model, pixels)] == [1, 5, 9, 6]


def test_a_choice_within_a_choice_checks_and_runs() -> None:
    """Both sides have nodes and constants of their own; no name is given twice."""
    graph = GraphBuilder()
    x = ir.val("x", ir.DataType.FLOAT, [1])

    def less(g: GraphBuilder, limit: int) -> ir.Value:
        return g.op("Less", x, g.float32([limit]))

    def scaled(g: GraphBuilder, factor: int) -> list[ir.Value]:
        return [g.op("Mul", x, g.float32([factor]))]

    (y,) = graph.choice(
        less(graph, 5),
        lambda g: g.choice(less(g, 2), lambda h: scaled(h, 2), lambda h: scaled(h, 3), outputs=1),
        lambda g: scaled(g, 4),
        outputs=1,
    )
    y.name, y.dtype, y.shape = "y", ir.DataType.FLOAT, ir.Shape([1])
    model = graph.model([x], [y])
    onnx.checker.check_model(ir.to_proto(model), full_check=True)
    for value, factor in ((1, 2), (3, 3), (7, 4)):
        assert oracle.output(model, np.array([value], np.float32)) == value * factor
