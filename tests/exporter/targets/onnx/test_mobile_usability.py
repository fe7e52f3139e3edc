from __future__ import annotations

import logging
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from exporter import traced
from exporter.traced import TILE
from gdq_exporter.errors import ExportError
from gdq_exporter.targets.onnx.mobile_usability import check_mobile_usability
from gdq_exporter.targets.onnx.writer import OnnxWriter


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written")
    writer = OnnxWriter(folder)
    for width in (4, 8):
        writer.write_subgraph(traced.lowered("edsr x2", width), scale=2)
    writer.close()
    return folder / "onnx"


def test_at_8_bits_only_the_pixels_conversion_stays_outside(folder: Path) -> None:
    usability = check_mobile_usability(folder / "bits8.onnx", TILE)
    nnapi = usability.nnapi
    assert nnapi.left_to_cpu == {"Cast": 1}
    assert (nnapi.taken, nnapi.partitions) == (nnapi.nodes - 1, 2)
    assert nnapi.worth_trying == "maybe"
    assert usability.opset == 20
    written = onnx.load(folder / "bits8.onnx", load_external_data=False).graph.node
    assert sum(usability.operators.values()) == len(written)
    assert usability.operators["Conv"] == sum(node.op_type == "Conv" for node in written)


def test_fewer_bits_are_no_more_parts(folder: Path) -> None:
    four, eight = (check_mobile_usability(folder / f"bits{n}.onnx", TILE).nnapi for n in (4, 8))
    assert four.nodes > eight.nodes
    assert (four.taken, four.partitions) == (four.nodes - 1, eight.partitions)
    assert (four.left_to_cpu, four.worth_trying) == (eight.left_to_cpu, eight.worth_trying)


def write(path: Path, *nodes: onnx.NodeProto) -> Path:
    """A chain of float operators from x to y, whose sides are free."""
    x, y = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4, "height", "width"])
        for name in "xy"
    )
    bounds = [
        helper.make_tensor(name, TensorProto.FLOAT, [], [value])
        for name, value in {"zero": 0, "six": 6, "seven": 7}.items()
    ]
    graph = helper.make_graph(list(nodes), "chain", [x], [y], bounds)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


def test_an_operator_that_nnapi_does_not_have_is_reported(tmp_path: Path) -> None:
    path = write(
        tmp_path / "erf.onnx",
        helper.make_node("Sigmoid", ["x"], ["a"]),
        helper.make_node("Erf", ["a"], ["b"]),
        helper.make_node("Tanh", ["b"], ["y"]),
    )
    usability = check_mobile_usability(path, TILE)
    assert usability.opset == 17
    assert usability.operators == {"Erf": 1, "Sigmoid": 1, "Tanh": 1}
    assert usability.nnapi.left_to_cpu == {"Erf": 1}
    assert (usability.nnapi.taken, usability.nnapi.partitions) == (2, 2)


@pytest.mark.parametrize(
    ("bounds", "is_taken"),
    [(["zero", "six"], True), (["zero", "seven"], False), (["", "six"], False), ([], False)],
)
def test_nnapi_takes_few_clips(bounds: list[str], is_taken: bool, tmp_path: Path) -> None:
    path = write(
        tmp_path / "clip.onnx",
        helper.make_node("Sigmoid", ["x"], ["a"]),
        helper.make_node("Clip", ["a", *bounds], ["b"]),
        helper.make_node("Tanh", ["b"], ["y"]),
    )
    nnapi = check_mobile_usability(path, TILE).nnapi
    assert nnapi.left_to_cpu == ({} if is_taken else {"Clip": 1})
    assert nnapi.partitions == (1 if is_taken else 2)


def test_nothing_is_printed_or_logged(
    folder: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        check_mobile_usability(folder / "bits4.onnx", TILE)
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_a_graph_that_cannot_be_loaded_is_one_sentence(tmp_path: Path) -> None:
    path = write(tmp_path / "broken.onnx", helper.make_node("Nonsense", ["x"], ["y"]))
    with pytest.raises(ExportError, match=r"broken\.onnx: ONNX Runtime refuses it: .*"):
        check_mobile_usability(path, TILE)
