from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from exporter import traced
from exporter.litert import random
from exporter.traced import TILE
from gdq_exporter.errors import ExportError
from gdq_exporter.targets.tflite import operators
from gdq_exporter.targets.tflite.delegation import check_delegation
from gdq_exporter.targets.tflite.model_builder import GraphBuilder, ModelBuilder, Tensor
from gdq_exporter.targets.tflite.writer import FILE, TfliteWriter


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written")
    writer = TfliteWriter(folder, TILE)
    for width in (4, 8):
        writer.write_subgraph(traced.lowered("srresnet x2", width))
    writer.write_predictor(traced.network("srresnet x2").predictor_parameters())
    writer.close()
    return folder


@pytest.mark.parametrize("width", [4, 8])
def test_xnnpack_takes_all_of_a_subgraph(folder: Path, width: int) -> None:
    """At 4 bits, two tensors are clamped by a multiplication."""
    result = check_delegation(folder / FILE, f"bits{width}")
    assert (result.is_whole, result.parts) == (True, 1)
    clamps = {4: 2, 8: 0}
    plain = check_delegation(folder / FILE, "bits8").operators["MUL"]
    assert result.operators["MUL"] - plain == clamps[width]
    assert "DELEGATE" not in result.operators


def test_the_predictor_decides_outside_of_xnnpack(folder: Path) -> None:
    result = check_delegation(folder / FILE, "predictor")
    assert not result.is_whole
    assert result.parts >= 1
    assert "CONV_2D" not in result.operators


def write(folder: Path, build: Callable[[GraphBuilder, Tensor], Tensor]) -> Path:
    model = ModelBuilder()
    graph = model.graph("spoiled")
    graph.finish({"y": build(graph, graph.input("x", (1, 8, 8, 4), np.float32))})
    path = folder / "spoiled.tflite"
    path.write_bytes(model.to_bytes())
    return path


def conv(graph: GraphBuilder, x: Tensor) -> Tensor:
    weight = graph.constant(random(4, 3, 3, 4))
    return operators.conv(graph, x, weight, graph.constant(random(4)), same=True)


def test_an_operator_that_xnnpack_does_not_take_fails_the_export(tmp_path: Path) -> None:
    def build(graph: GraphBuilder, x: Tensor) -> Tensor:
        return conv(graph, _cumulated(graph, conv(graph, x)))

    with pytest.raises(ExportError, match=r"spoiled\.tflite, spoiled: XNNPACK takes 2 parts"):
        check_delegation(write(tmp_path, build), "spoiled")


def _cumulated(graph: GraphBuilder, x: Tensor) -> Tensor:
    axis = graph.constant(1, np.int32)
    return graph.op("CUMSUM", [x, axis], x.shape, options=schema.CumsumOptionsT())


def test_a_conv_that_xnnpack_does_not_take_fails_the_export(tmp_path: Path) -> None:
    """Its weights are computed by the graph."""

    def build(graph: GraphBuilder, x: Tensor) -> Tensor:
        weight = _cumulated(graph, graph.constant(random(4, 3, 3, 4)))
        return operators.conv(graph, x, weight, graph.constant(random(4)))

    with pytest.raises(ExportError, match="slow kernels; please report this"):
        check_delegation(write(tmp_path, build), "spoiled")


def test_a_changed_layout_fails_the_export(tmp_path: Path) -> None:
    def build(graph: GraphBuilder, x: Tensor) -> Tensor:
        return operators.transpose(graph, conv(graph, x), 0, 3, 1, 2)

    with pytest.raises(ExportError, match="changes its layout"):
        check_delegation(write(tmp_path, build), "spoiled")


def test_without_convolutions_matrices_may_be_rearranged(tmp_path: Path) -> None:
    def build(graph: GraphBuilder, x: Tensor) -> Tensor:
        return operators.transpose(graph, x, 0, 3, 1, 2)

    assert check_delegation(write(tmp_path, build), "spoiled").operators == {"TRANSPOSE": 1}


def test_what_litert_refuses_is_one_sentence(tmp_path: Path) -> None:
    def build(graph: GraphBuilder, x: Tensor) -> Tensor:
        return graph.op("ADD", [x], x.shape, options=schema.AddOptionsT())

    with pytest.raises(ExportError, match=r"spoiled: LiteRT refuses it: .*"):
        check_delegation(write(tmp_path, build), "spoiled")
