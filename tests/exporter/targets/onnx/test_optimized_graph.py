from __future__ import annotations

from pathlib import Path

import onnx_ir as ir
import onnxruntime as ort
import pytest

from exporter import traced
from exporter.traced import TILE
from gdq_exporter.errors import ExportError
from gdq_exporter.targets.onnx.optimized_graph import save_optimized
from gdq_exporter.targets.onnx.writer import OnnxWriter


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written")
    writer = OnnxWriter(folder)
    writer.write_subgraph(traced.lowered("edsr x2", 6), scale=2)
    writer.close()
    return folder / "onnx" / "bits6.onnx"


def test_the_level_decides_who_stands_there(graph: Path, tmp_path: Path) -> None:
    basic = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    save_optimized(graph, tmp_path / "basic.onnx", basic)
    save_optimized(graph, tmp_path / "full.onnx")
    names = [
        {node.op_type for node in ir.load(tmp_path / f"{level}.onnx").graph}
        for level in ("basic", "full")
    ]
    assert ["QLinearConv" in found for found in names] == [False, True]


@pytest.mark.parametrize(("tile", "sides"), [(TILE, (TILE, TILE)), (None, ("height", "width"))])
def test_free_dimensions_are_fixed_on_request(
    tile: int | None, sides: tuple[int | str, ...], graph: Path, tmp_path: Path
) -> None:
    save_optimized(graph, tmp_path / "saved.onnx", tile=tile)
    (x,) = ir.load(tmp_path / "saved.onnx").graph.inputs
    assert x.shape is not None
    assert x.shape == (1, *sides, 3)


def test_a_file_that_is_no_graph_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("a text file")
    with pytest.raises(ExportError, match=r"text\.onnx: ONNX Runtime refuses it: .*"):
        save_optimized(tmp_path / "text.onnx", tmp_path / "saved.onnx")
