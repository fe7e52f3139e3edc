from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx_ir as ir

from exporter import traced
from exporter.litert import runner
from exporter.traced import TILE
from gdq_exporter.lowering import LoweredNetwork
from gdq_exporter.targets.onnx.writer import OnnxWriter
from gdq_exporter.targets.tflite.writer import FILE, TfliteWriter
from gdq_models import SuperResolutionNetwork
from gdq_runtime.bundle.manifest import GraphSpec


def test_every_graph_has_a_signature_of_its_own(lowered: LoweredNetwork, tmp_path: Path) -> None:
    writer = TfliteWriter(tmp_path, TILE)
    subgraph = writer.write_subgraph(lowered)
    predictor = writer.write_predictor(traced.network("edsr x2").predictor_parameters())
    writer.close()
    content = (tmp_path / FILE).read_bytes()
    tile = np.zeros((1, TILE, TILE, 3), np.uint8)
    for graph in (subgraph, predictor):
        assert graph.tflite is not None
        assert graph.tflite.file == FILE
        answers = runner(content, graph.tflite.signature)(tile=tile)
        for tensor in graph.outputs:
            answer = answers.pop(tensor.name)
            assert (list(answer.shape), answer.dtype.name) == (tensor.shape, tensor.dtype)
        assert answers == {}


def test_both_formats_have_the_same_ends(lowered: LoweredNetwork, tmp_path: Path) -> None:
    """But for dimensions that may vary in ONNX."""
    onnx: GraphSpec = OnnxWriter(tmp_path).write_subgraph(lowered, scale=2)
    tflite: GraphSpec = TfliteWriter(tmp_path, TILE).write_subgraph(lowered)
    size = {"height": TILE, "width": TILE, "2*height": 2 * TILE, "2*width": 2 * TILE}
    for ours, theirs in zip(
        (*tflite.inputs, *tflite.outputs), (*onnx.inputs, *onnx.outputs), strict=True
    ):
        fixed = [size.get(str(dimension), dimension) for dimension in theirs.shape]
        assert ours == theirs.model_copy(update={"shape": fixed})


def test_writing_does_not_change_the_lowered_network(
    lowered: LoweredNetwork, tmp_path: Path
) -> None:
    before = ir.to_proto(lowered.model).SerializeToString(deterministic=True)
    TfliteWriter(tmp_path, TILE).write_subgraph(lowered)
    assert ir.to_proto(lowered.model).SerializeToString(deterministic=True) == before


def file_size(lowered: list[LoweredNetwork], network: SuperResolutionNetwork, at: Path) -> int:
    at.mkdir()
    writer = TfliteWriter(at, 16)
    for width in lowered:
        writer.write_subgraph(width)
    writer.write_predictor(network.predictor_parameters())
    writer.close()
    return (at / FILE).stat().st_size


def test_four_widths_are_hardly_larger_than_one(
    edsr_baseline: tuple[SuperResolutionNetwork, list[LoweredNetwork]], tmp_path: Path
) -> None:
    """EDSR-baseline: weights are stored once, so three more graphs cost at most ten per cent."""
    network, lowered = edsr_baseline
    one = file_size(lowered[-1:], network, tmp_path / "one")
    four = file_size(lowered, network, tmp_path / "four")
    assert four <= 1.10 * one, f"{four / one:.4f}"
