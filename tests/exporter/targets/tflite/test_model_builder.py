from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from exporter.litert import random, runner
from gdq_exporter.targets.tflite import operators
from gdq_exporter.targets.tflite.model_builder import ModelBuilder

WEIGHTS = random(64, 64)


def two_graphs() -> bytes:
    """x @ weights and x @ weights + 1."""
    model = ModelBuilder()
    for name, extra in (("plain", 0), ("more", 1)):
        graph = model.graph(name)
        x = graph.input("x", (1, 64), np.float32)
        bias = graph.constant(np.full(64, extra))
        graph.finish({"y": operators.linear(graph, x, graph.constant(WEIGHTS), bias)})
    return model.to_bytes()


def test_every_graph_is_called_by_its_name() -> None:
    x = random(1, 64, seed=1)
    content = two_graphs()
    plain, more = (runner(content, name)(x=x)["y"] for name in ("plain", "more"))
    np.testing.assert_allclose(plain, x @ WEIGHTS.T, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(more, plain + 1, rtol=1e-5, atol=1e-5)


def test_equal_constants_are_stored_once_and_aligned() -> None:
    content = two_graphs()
    assert content.count(WEIGHTS.tobytes()) == 1
    assert content.index(WEIGHTS.tobytes()) % 16 == 0
    assert len(content) < 1.2 * WEIGHTS.nbytes


def test_equal_models_are_equal_bytes() -> None:
    assert two_graphs() == two_graphs()


def test_an_operator_is_listed_once_for_each_version() -> None:
    model = ModelBuilder()
    assert model.operator("ADD", 1) == model.operator("ADD", 1) != model.operator("ADD", 2)


def test_operators_of_newer_schemas_have_both_codes() -> None:
    model = ModelBuilder()
    graph = model.graph("graph")
    x = graph.input("x", (4,), np.float32)
    graph.finish({"y": graph.op("GELU", [x], (4,), options=schema.GeluOptionsT())})
    parsed = schema.ModelT.InitFromPackedBuf(model.to_bytes(), 0)
    (code,) = parsed.operatorCodes
    assert (code.builtinCode, code.deprecatedBuiltinCode) == (schema.BuiltinOperator.GELU, 127)
