from __future__ import annotations

import numpy as np
import onnx
import onnx_ir as ir

from exporter import oracle
from exporter.networks import array
from gdq_exporter.writers.onnx.graph_builder import GraphBuilder


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
    cases = [
        (graph.float32(2), np.float32(2)),
        (graph.float32(np.ones((2, 3))), np.ones((2, 3), np.float32)),
        (graph.int64(1, 2), np.array([1, 2])),
        (graph.matrix_int64(np.array([[1], [2]])), np.array([[1], [2]])),
    ]
    for value, expected in cases:
        stored = array(value)
        assert (stored.dtype, stored.shape) == (expected.dtype, expected.shape)
        np.testing.assert_array_equal(stored, expected)
