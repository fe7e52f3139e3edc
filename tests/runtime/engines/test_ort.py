from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest

from gdq_core.errors import BundleError, EngineError
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.ort import OrtEngine
from runtime.tiny_bundle import predict, read_manifest, seal, upscale, write_manifest
from runtime.tiny_bundle import write_tiny_bundle as write

TILES = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 3), dtype=np.uint8)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write(tmp_path / "bundle")


@pytest.mark.parametrize("bit_width", [4, 5, 6, 8])
def test_runs_the_subgraph_asked_for(bundle: Path, bit_width: int) -> None:
    engine = OrtEngine(Bundle.open(bundle), 16)
    np.testing.assert_array_equal(engine.run(bit_width, TILES[0]), upscale(TILES[0], bit_width))


@pytest.mark.parametrize("brightness", [0, 63, 64, 127, 128, 191, 192, 255])
def test_predicts_what_the_graph_computes(bundle: Path, brightness: int) -> None:
    tile = np.full((16, 16, 3), brightness, dtype=np.uint8)
    prediction = OrtEngine(Bundle.open(bundle), 16).predict(tile)
    assert prediction.bit_width == predict(tile)
    assert prediction.entropy == pytest.approx(brightness / 255)
    expected = -((brightness - np.array([40.0, 128.0, 215.0])) ** 2)
    np.testing.assert_allclose(prediction.logits, expected, rtol=1e-6)
    assert prediction.logits.dtype == np.float32


def test_takes_any_size_unless_specialised(bundle: Path) -> None:
    tile = TILES[0][:9, :13]
    free = OrtEngine(Bundle.open(bundle), None)
    np.testing.assert_array_equal(free.run(4, tile), upscale(tile, 4))
    fixed = OrtEngine(Bundle.open(bundle), 16)
    with pytest.raises(EngineError, match=r"4\.onnx failed"):
        fixed.run(4, tile)


def test_is_shared_by_threads(bundle: Path) -> None:
    engine = OrtEngine(Bundle.open(bundle), 16)
    with ThreadPoolExecutor(4) as pool:
        outputs = list(pool.map(lambda tile: engine.run(8, tile), np.repeat(TILES, 8, axis=0)))
    for tile, output in zip(np.repeat(TILES, 8, axis=0), outputs, strict=True):
        np.testing.assert_array_equal(output, upscale(tile, 8))


def test_names_its_accelerator(bundle: Path) -> None:
    engine = OrtEngine(Bundle.open(bundle), 16)
    assert (engine.name, engine.accelerator_asked, engine.accelerator_used) == (
        "onnxruntime",
        "CPU",
        "CPU",
    )


def test_refuses_a_width_that_is_not_there(tmp_path: Path) -> None:
    engine = OrtEngine(Bundle.open(write(tmp_path / "b", bit_widths=(4, 8))), 16)
    with pytest.raises(BundleError, match="has no subgraph of 5 bits; it has 4, 8"):
        engine.run(5, TILES[0])


def test_refuses_a_file_that_is_no_model(bundle: Path) -> None:
    (bundle / "4.onnx").write_bytes(b"not a model")
    seal(bundle)
    with pytest.raises(EngineError, match=r"ONNX Runtime refuses .*4\.onnx"):
        OrtEngine(Bundle.open(bundle), 16).run(4, TILES[0])


def test_refuses_a_subgraph_of_another_scale(bundle: Path) -> None:
    manifest = read_manifest(bundle)
    manifest["network"]["scale"] = 3
    write_manifest(bundle, manifest)
    with pytest.raises(EngineError, match=r"returns uint8 \(1, 32, 32, 3\), not uint8"):
        OrtEngine(Bundle.open(bundle), 16).run(4, TILES[0])


def test_refuses_a_predictor_that_answers_nonsense(bundle: Path) -> None:
    model = onnx.load(bundle / "predictor.onnx")
    for initializer in model.graph.initializer:
        if initializer.name == "four":
            initializer.CopyFrom(onnx.numpy_helper.from_array(np.array([70]), "four"))
    onnx.save(model, bundle / "predictor.onnx")
    seal(bundle)
    with pytest.raises(EngineError, match=r"predicts 7\d bits, not 4, 5, 6, 8"):
        OrtEngine(Bundle.open(bundle), 16).predict(TILES[0])


def test_refuses_a_predictor_in_the_place_of_a_subgraph(bundle: Path) -> None:
    (bundle / "4.onnx").write_bytes((bundle / "predictor.onnx").read_bytes())
    seal(bundle)
    with pytest.raises(EngineError, match=r"4\.onnx failed: .*output"):
        OrtEngine(Bundle.open(bundle), 16).run(4, TILES[0])


def test_refuses_other_inputs_than_the_manifest_says(bundle: Path) -> None:
    manifest = read_manifest(bundle)
    manifest["predictor"]["inputs"][0]["name"] = "picture"
    write_manifest(bundle, manifest)
    with pytest.raises(EngineError, match="the manifest says one uint8 tile"):
        OrtEngine(Bundle.open(bundle), 16).predict(TILES[0])


def test_does_not_read_weights_outside_of_the_bundle(bundle: Path) -> None:
    secret = bundle.parent / "secret"
    secret.write_bytes(np.int32(42).tobytes())
    model = onnx.load(bundle / "4.onnx")
    weight = model.graph.initializer[0]
    weight.ClearField("raw_data")
    weight.data_location = onnx.TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="../secret")
    (bundle / "4.onnx").write_bytes(model.SerializeToString())
    seal(bundle)
    with pytest.raises(EngineError, match="ONNX Runtime refuses"):
        OrtEngine(Bundle.open(bundle), 16).run(4, TILES[0])
