from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from exporter import oracle
from exporter.networks import Network, operators
from exporter.traced import TILE, lowered
from factories import sample_tiles
from gdq_core.bit_widths import BitWidth
from gdq_exporter.targets.onnx.image_ends import add_image_ends
from gdq_exporter.targets.onnx.optimized_graph import save_optimized
from gdq_exporter.targets.onnx.saturation import clamp_by_saturation
from gdq_exporter.targets.onnx.writer import OnnxWriter

STEP = 0.3
POINTS = [(0, 15), (0, 31), (0, 63), (8, 15), (16, 31), (32, 63)]


def every_code() -> NDArray[np.float32]:
    """Reals far below, at, between and far above all codes; ties among them. (1, 1, 30, 50)."""
    reals = np.linspace(-140, 140, 1500, dtype=np.float32)
    reals[:560] = (np.arange(560) - 280) / 2 * np.float32(STEP)
    return reals.reshape(1, 1, 30, 50)


@pytest.mark.parametrize(("zero_point", "top"), POINTS)
@pytest.mark.parametrize("relu", [False, True])
def test_codes_are_those_of_the_clip(zero_point: int, top: int, relu: bool, tmp_path: Path) -> None:
    network = Network(1)
    x = network.op("Relu", network.x) if relu else network.x
    model = network.model(network.quantized(x, STEP, zero_point, top))
    expected = oracle.output(model, every_code())
    clamp_by_saturation(model)
    assert "Clip" not in operators(model)
    np.testing.assert_array_equal(oracle.output(model, every_code()), expected)
    ir.save(model, tmp_path / "clamped.onnx")
    session = ort.InferenceSession(tmp_path / "clamped.onnx", providers=["CPUExecutionProvider"])
    np.testing.assert_array_equal(session.run(None, {"tile": every_code()})[0], expected)


@pytest.mark.parametrize(("zero_point", "is_kept"), [(0, False), (8, True)])
def test_a_relu_goes_where_the_codes_are_its_bound(zero_point: int, is_kept: bool) -> None:
    network = Network(1)
    positive = network.op("Relu", network.x)
    model = network.model(network.quantized(positive, 0.3, zero_point, 15))
    clamp_by_saturation(model)
    assert ("Relu" in operators(model)) == is_kept


def test_a_relu_that_others_read_stays() -> None:
    network = Network(1)
    positive = network.op("Relu", network.x)
    codes = network.quantized(positive, 0.3, 0, 15)
    model = network.model(network.op("Add", codes, positive))
    expected = oracle.output(model, every_code())
    clamp_by_saturation(model)
    np.testing.assert_array_equal(oracle.output(model, every_code()), expected)


def test_8_bits_and_clips_of_reals_stay() -> None:
    network = Network(1)
    low, high = network.constant(-1), network.constant(1)
    bounded = network.op("Clip", network.x, low, high)
    model = network.model(network.quantized(bounded, 0.3, 128))
    before = ir.to_proto(model).SerializeToString(deterministic=True)
    clamp_by_saturation(model)
    assert ir.to_proto(model).SerializeToString(deterministic=True) == before


@pytest.mark.parametrize("width", [4, 5, 6])
@pytest.mark.parametrize("name", ["edsr x2", "srresnet x2"])
def test_a_network_s_pictures_stay_and_every_clamp_runs_on_bytes(
    name: str, width: BitWidth, tmp_path: Path
) -> None:
    network = lowered(name, width)
    clipped = network.model.clone()
    clamps = Counter(node.op_type for node in clipped.graph)["Clip"]
    assert clamps > 0
    add_image_ends(clipped, 2)
    ir.save(clipped, tmp_path / "clipped.onnx")
    writer = OnnxWriter(tmp_path)
    written = tmp_path / str(writer.write_subgraph(network, scale=2).onnx)
    writer.close()
    tile = sample_tiles(1, TILE).permute(0, 2, 3, 1).byte().numpy()
    ours, theirs = (
        ort.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"tile": tile})[0]
        for path in (written, tmp_path / "clipped.onnx")
    )
    np.testing.assert_array_equal(ours, theirs)
    save_optimized(written, tmp_path / "optimized.onnx")
    found = Counter(node.op_type for node in ir.load(tmp_path / "optimized.onnx").graph)
    assert found["QLinearAdd"] == clamps
    assert found["Clip"] == 0
