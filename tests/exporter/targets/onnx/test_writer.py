from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime as ort

from exporter import oracle
from exporter.networks import Network, random
from exporter.traced import TILE
from factories import sample_tiles
from gdq_exporter.lowering import LoweredNetwork
from gdq_exporter.targets.onnx.predictor import build_predictor
from gdq_exporter.targets.onnx.writer import OnnxWriter
from gdq_models import SuperResolutionNetwork

TILES = sample_tiles(4, TILE).permute(0, 2, 3, 1).byte().numpy()


def test_a_written_subgraph_is_the_lowered_network(lowered: LoweredNetwork, tmp_path: Path) -> None:
    writer = OnnxWriter(tmp_path)
    subgraph = writer.write_subgraph(lowered, scale=2)
    writer.close()
    assert subgraph.onnx is not None
    path = tmp_path / subgraph.onnx
    onnx.checker.check_model(path, full_check=True)
    loaded = ir.load(path)
    ir.external_data.load_to_model(loaded)
    image = oracle.output(lowered.model, TILES[2:3].transpose(0, 3, 1, 2).astype(np.float32))
    pixels = oracle.output(loaded, TILES[2:3])
    np.testing.assert_array_equal(pixels, image.transpose(0, 2, 3, 1).round().clip(0, 255))


def test_the_manifest_describes_the_ends(lowered: LoweredNetwork, tmp_path: Path) -> None:
    writer = OnnxWriter(tmp_path)
    subgraph = writer.write_subgraph(lowered, scale=2)
    writer.close()
    assert subgraph.onnx is not None
    session = ort.InferenceSession(tmp_path / subgraph.onnx, providers=["CPUExecutionProvider"])
    (tile,), (output,) = subgraph.inputs, subgraph.outputs
    assert [tile.name, output.name] == [session.get_inputs()[0].name, session.get_outputs()[0].name]
    assert session.get_inputs()[0].shape == tile.shape == [1, "height", "width", 3]
    assert {(end.dtype, end.step, end.zero_point) for end in (tile, output)} == {("uint8", 1.0, 0)}
    assert subgraph.bit_width == 5


def test_writing_does_not_change_the_lowered_network(
    lowered: LoweredNetwork, tmp_path: Path
) -> None:
    before = ir.to_proto(lowered.model).SerializeToString(deterministic=True)
    OnnxWriter(tmp_path).write_subgraph(lowered, scale=2)
    assert ir.to_proto(lowered.model).SerializeToString(deterministic=True) == before


def test_graphs_are_compact(lowered: LoweredNetwork, tmp_path: Path) -> None:
    """Short names, no metadata, no attribute that says what holds anyway."""
    subgraph = OnnxWriter(tmp_path).write_subgraph(lowered, scale=2)
    assert subgraph.onnx is not None
    model = onnx.load(tmp_path / subgraph.onnx, load_external_data=False)
    names = {name for node in model.graph.node for name in (*node.input, *node.output) if name}
    assert max(len(name) for name in names - {"tile", "output"}) <= 3
    assert not any(node.name or node.doc_string or node.metadata_props for node in model.graph.node)
    assert not model.graph.value_info
    attributes = {
        a.name for node in model.graph.node if node.op_type == "Conv" for a in node.attribute
    }
    assert attributes == {"pads"}


def test_attributes_that_matter_are_kept(tmp_path: Path) -> None:
    """Stride, groups, dilation and automatic padding, where they are not the default."""
    network = Network(4)
    x = network.conv(network.x, random(4, 4, 3, 3), strides=[2, 2], kernel_shape=[3, 3])
    x = network.conv(x, random(4, 2, 3, 3), group=2, dilations=[1, 1], auto_pad="NOTSET")
    x = network.conv(x, random(4, 4, 3, 3), dilations=[2, 2], pads=[2, 2, 2, 2])
    x = network.op("Conv", x, network.constant(random(4, 4, 3, 3)), auto_pad="SAME_UPPER")
    model = network.model(x)
    pixels = random(1, 4, 8, 8)
    before = oracle.output(model, pixels)
    writer = OnnxWriter(tmp_path)
    spec = writer.write(model, "network")
    writer.close()
    assert spec.onnx is not None
    loaded = ir.load(tmp_path / spec.onnx)
    ir.external_data.load_to_model(loaded)
    np.testing.assert_array_equal(oracle.output(loaded, pixels), before)


def test_embedded_weights_load_from_bytes(lowered: LoweredNetwork, tmp_path: Path) -> None:
    pictures = []
    for embeds in (False, True):
        folder = tmp_path / str(embeds)
        folder.mkdir()
        writer = OnnxWriter(folder, embeds_weights=embeds)
        path = folder / str(writer.write_subgraph(lowered, scale=2).onnx)
        writer.close()
        assert (path.parent / "weights.bin").exists() != embeds
        model = path.read_bytes() if embeds else path
        session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
        pictures.append(session.run(None, {"tile": TILES[2:3]})[0])
    np.testing.assert_array_equal(*pictures)


def folder_size(lowered: list[LoweredNetwork], network: SuperResolutionNetwork, at: Path) -> int:
    at.mkdir()
    writer = OnnxWriter(at)
    for width in lowered:
        writer.write_subgraph(width, scale=2)
    writer.write(build_predictor(network.predictor_parameters()), "predictor")
    writer.close()
    return sum(path.stat().st_size for path in at.rglob("*") if path.is_file())


def test_four_widths_are_hardly_larger_than_one(
    edsr_baseline: tuple[SuperResolutionNetwork, list[LoweredNetwork]], tmp_path: Path
) -> None:
    """EDSR-baseline: weights are stored once, so three more graphs cost at most five per cent."""
    network, lowered = edsr_baseline
    one = folder_size(lowered[-1:], network, tmp_path / "one")
    four = folder_size(lowered, network, tmp_path / "four")
    assert four <= 1.05 * one, f"{four / one:.4f}"
