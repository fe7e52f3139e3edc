from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from factories import tiny_edsr, tiny_srresnet
from gdq_bench.measure.float_network import write_float_network
from gdq_core.errors import BundleError
from gdq_exporter import ExportConfig, export
from gdq_models import SuperResolutionNetwork, save_checkpoint
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.ort import EXACT_SUMS
from runtime.tiny_bundle import write_tiny_bundle

INTEGERS = {"DequantizeLinear", "QLinearConv", "Clip"}


def write_by_hand(path: Path) -> None:
    """uint8 tile -> 3 clamped codes -> 1x1 conv with a step per channel -> relu -> uint8."""
    nodes = [
        helper.make_node("Transpose", ["tile"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["planes"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("QuantizeLinear", ["real", "coarse", "zero"], ["codes"]),
        helper.make_node("Clip", ["codes", "", "top"], ["clamped"]),
        helper.make_node("DequantizeLinear", ["clamped", "coarse", "zero"], ["rounded"]),
        helper.make_node("DequantizeLinear", ["weight", "steps", "offsets"], ["kernel"], axis=0),
        helper.make_node("DequantizeLinear", ["bias", "bias_step"], ["shift"]),
        helper.make_node("Conv", ["rounded", "kernel", "shift"], ["convolved"]),
        helper.make_node("Relu", ["convolved"], ["positive"]),
        helper.make_node("QuantizeLinear", ["positive", "one", "zero"], ["picture"]),
        helper.make_node("Transpose", ["picture"], ["output"], perm=[0, 2, 3, 1]),
    ]
    constants = {
        "coarse": np.float32(40), "zero": np.uint8(0), "top": np.uint8(3), "one": np.float32(1),
        "weight": np.array([[2, 0, 1], [1, -1, 0], [0, 3, 9]], np.int8).reshape(3, 3, 1, 1),
        "steps": np.array([0.1, 0.2, 0.05], np.float32), "offsets": np.array([0, 1, 0], np.int8),
        "bias": np.array([5, -7, 90], np.int32), "bias_step": np.float32(0.5),
    }  # fmt: skip
    graph = helper.make_graph(
        nodes,
        "by_hand",
        [helper.make_tensor_value_info("tile", TensorProto.UINT8, [1, "height", "width", 3])],
        [helper.make_tensor_value_info("output", TensorProto.UINT8, [1, "height", "width", 3])],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()],
    )
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)


def run(path: Path, tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
    options = ort.SessionOptions()
    options.add_session_config_entry(*EXACT_SUMS)
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    output: NDArray[np.uint8] = session.run(None, {session.get_inputs()[0].name: tile[None]})[0][0]
    return output


def test_only_rounding_and_clamping_are_gone(tmp_path: Path) -> None:
    write_by_hand(tmp_path / "integer.onnx")
    write_float_network(tmp_path / "integer.onnx", tmp_path / "float.onnx")
    tile = np.random.default_rng(0).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    kernel = np.array([[0.2, 0, 0.1], [0, -0.4, -0.2], [0, 0.15, 0.45]])
    expected = np.clip(np.rint(tile @ kernel.T + [2.5, -3.5, 45]), 0, 255)
    np.testing.assert_allclose(run(tmp_path / "float.onnx", tile), expected, atol=1)
    graph = onnx.load(tmp_path / "float.onnx").graph
    assert [node.op_type for node in graph.node] == [
        "Transpose", "Cast", "Conv", "Relu", "QuantizeLinear", "Transpose",
    ]  # fmt: skip
    assert {tensor.name for tensor in graph.initializer} == {"kernel", "shift", "one", "zero"}


@pytest.mark.parametrize("make", [tiny_edsr, tiny_srresnet])
@pytest.mark.parametrize("profile", ["stream_float-tail_float", "stream_float-tail_int8"])
def test_a_bundles_network_stays_what_it_was(
    make: Callable[[], SuperResolutionNetwork], profile: str, tmp_path: Path
) -> None:
    save_checkpoint(make().eval(), tmp_path / "tiny.safetensors")
    config = ExportConfig(tile=32, overlap=4, profile=profile, formats=("onnx",))
    export(tmp_path / "tiny.safetensors", tmp_path / "bundle", config)
    bundle = Bundle.open(tmp_path / "bundle")
    graph = bundle.subgraph(8).onnx
    assert graph is not None
    write_float_network(bundle.file(graph), tmp_path / "float.onnx")
    kinds = [node.op_type for node in onnx.load(tmp_path / "float.onnx").graph.node]
    assert INTEGERS.isdisjoint(kinds)
    assert kinds.count("QuantizeLinear") == 1
    assert kinds.count("Conv") > 4
    tile = np.random.default_rng(0).integers(60, 190, (32, 32, 3), dtype=np.uint8)
    ours, integer = (run(path, tile) for path in (tmp_path / "float.onnx", bundle.file(graph)))
    assert np.abs(ours.astype(int) - integer).mean() < 2


def test_other_graphs_are_refused(tmp_path: Path) -> None:
    bundle = write_tiny_bundle(tmp_path / "bundle")
    with pytest.raises(BundleError, match="no QuantizeLinear makes its picture"):
        write_float_network(bundle / "8.onnx", tmp_path / "float.onnx")
    save_checkpoint(tiny_edsr().eval(), tmp_path / "tiny.safetensors")
    config = ExportConfig(tile=32, overlap=4, formats=("onnx",))
    export(tmp_path / "tiny.safetensors", tmp_path / "tiny", config)
    with pytest.raises(BundleError, match="its activations have fewer than 8 bits"):
        write_float_network(tmp_path / "tiny/onnx/bits4.onnx", tmp_path / "float.onnx")
    (tmp_path / "text.onnx").write_text("no graph")
    with pytest.raises(BundleError, match="cannot be turned into a float network"):
        write_float_network(tmp_path / "text.onnx", tmp_path / "float.onnx")
    assert not (tmp_path / "float.onnx").exists()
