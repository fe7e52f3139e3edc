from __future__ import annotations

from pathlib import Path

import onnxruntime as ort
import pytest

from exporter import traced
from exporter.traced import TILE
from factories import sample_tiles
from gdq_exporter.targets.base import Source
from gdq_exporter.targets.engine.writer import FILE
from gdq_exporter.targets.graphs import write_graphs
from gdq_exporter.targets.registry import get_target
from gdq_runtime.bundle.manifest import Format


@pytest.mark.parametrize(
    "formats",
    [
        ("onnx",),
        ("tflite",),
        ("onnx", "tflite"),
        ("tflite", "onnx"),
        ("onnx", "engine"),
        ("engine",),
        ("engine", "tflite"),
    ],
)
def test_every_graph_is_there_in_every_format(formats: tuple[Format, ...], tmp_path: Path) -> None:
    lowered = [traced.lowered("wide edsr x2", 4), traced.lowered("wide edsr x2", 8)]
    network = traced.network("wide edsr x2")
    tiles = sample_tiles(2, TILE).permute(0, 2, 3, 1).byte().numpy()
    source = Source(lowered, network.predictor_parameters(), network.scale, tiles)
    targets = [get_target(name) for name in formats]
    predictor, subgraphs = write_graphs(tmp_path, source, targets)
    assert [subgraph.bit_width for subgraph in subgraphs] == [4, 8]
    assert predictor.gate == network.predictor_parameters().gate
    for graph in (predictor, *subgraphs):
        assert (graph.onnx is not None) == ("onnx" in formats)
        assert (graph.tflite is not None) == ("tflite" in formats)
        assert [tensor.name for tensor in graph.inputs] == ["tile"]
        # The first format says whether a graph takes tiles of any size.
        side = TILE if formats[0] == "tflite" else "height"
        assert graph.inputs[0].shape[1] == side
        assert graph.engine == (FILE if "engine" in formats else None)
        for file in (graph.onnx, None if graph.tflite is None else graph.tflite.file):
            assert file is None or (tmp_path / file).is_file()
    assert (tmp_path / FILE).is_file() == ("engine" in formats)
    assert len({graph.tflite and graph.tflite.signature for graph in (predictor, *subgraphs)}) == (
        3 if "tflite" in formats else 1
    )


def test_onnx_graphs_with_their_weights_load_from_bytes(tmp_path: Path) -> None:
    network = traced.network("wide edsr x2")
    tiles = sample_tiles(2, TILE).permute(0, 2, 3, 1).byte().numpy()
    source = Source(
        [traced.lowered("wide edsr x2", 4)],
        network.predictor_parameters(),
        network.scale,
        tiles,
        onnx_embeds_weights=True,
    )
    predictor, subgraphs = write_graphs(tmp_path, source, [get_target("onnx")])
    for graph in (predictor, *subgraphs):
        model = (tmp_path / str(graph.onnx)).read_bytes()
        session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
        session.run(None, {"tile": tiles[:1]})
    assert {path.suffix for path in (tmp_path / "onnx").iterdir()} == {".onnx"}
