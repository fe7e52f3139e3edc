from __future__ import annotations

from pathlib import Path

import pytest

from exporter import traced
from exporter.traced import TILE
from gdq_exporter.config import ExportConfig
from gdq_exporter.graphs import write_graphs
from gdq_runtime.bundle.manifest import Format


@pytest.mark.parametrize(
    "formats", [("onnx",), ("tflite",), ("onnx", "tflite"), ("tflite", "onnx")]
)
def test_every_graph_is_there_in_every_format(formats: tuple[Format, ...], tmp_path: Path) -> None:
    lowered = [traced.lowered("edsr x2", 4), traced.lowered("edsr x2", 8)]
    network = traced.network("edsr x2")
    config = ExportConfig(tile=TILE, overlap=2, formats=formats)
    predictor, subgraphs = write_graphs(tmp_path, network, lowered, config)
    assert [subgraph.bit_width for subgraph in subgraphs] == [4, 8]
    assert predictor.gate == network.predictor_parameters().gate
    for graph in (predictor, *subgraphs):
        assert (graph.onnx is not None) == ("onnx" in formats)
        assert (graph.tflite is not None) == ("tflite" in formats)
        assert [tensor.name for tensor in graph.inputs] == ["tile"]
        # The first format says whether a graph takes tiles of any size.
        side = "height" if formats[0] == "onnx" else TILE
        assert graph.inputs[0].shape[1] == side
        for file in (graph.onnx, graph.tflite and graph.tflite.file):
            assert file is None or (tmp_path / file).is_file()
    assert len({graph.tflite and graph.tflite.signature for graph in (predictor, *subgraphs)}) == (
        3 if "tflite" in formats else 1
    )
