from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from gdq_bench.measure.float_network import write_float_network
from gdq_core.bit_widths import FLOAT
from gdq_core.errors import BundleError, EngineError
from gdq_runtime.bundle.reader import Bundle
from gdq_validate.agreement import prove, read_picture
from runtime.tiny_bundle import predict, read_manifest, upscale, write_manifest, write_tiny_bundle

pytest.importorskip("openvino", reason="openvino comes with the extra of that name")

from gdq_bench.measure.engines.openvino import OpenvinoEngine

TILES = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return Bundle.open(write_tiny_bundle(tmp_path_factory.mktemp("openvino") / "bundle"))


def test_runs_the_subgraph_asked_for_and_keeps_no_answer(tiny: Bundle) -> None:
    engine = OpenvinoEngine(tiny, 16, None)
    first = engine.run(4, TILES[0])
    for width in (4, 8):
        np.testing.assert_array_equal(engine.run(width, TILES[1]), upscale(TILES[1], width))
    np.testing.assert_array_equal(first, upscale(TILES[0], 4))
    with pytest.raises(BundleError, match="32"):
        engine.run(FLOAT, TILES[0])


@pytest.mark.parametrize("brightness", [0, 64, 191, 255])
def test_predicts_what_the_graph_computes(tiny: Bundle, brightness: int) -> None:
    tile = np.full((16, 16, 3), brightness, dtype=np.uint8)
    prediction = OpenvinoEngine(tiny, 16, None).predict(tile)
    assert prediction.bit_width == predict(tile)
    assert prediction.entropy == pytest.approx(brightness / 255)


def test_every_thread_has_its_own(tiny: Bundle) -> None:
    engine = OpenvinoEngine(tiny, 16, None)
    with ThreadPoolExecutor(3) as pool:
        outputs = list(pool.map(lambda tile: engine.run(8, tile), np.repeat(TILES, 8, axis=0)))
    for tile, output in zip(np.repeat(TILES, 8, axis=0), outputs, strict=True):
        np.testing.assert_array_equal(output, upscale(tile, 8))
    engine.close()


def test_an_exported_bundle_in_integers_and_in_float(bundle: Bundle, tmp_path: Path) -> None:
    graph = bundle.subgraph(8).onnx
    assert graph is not None
    write_float_network(bundle.file(graph), tmp_path / "float.onnx")
    engine = OpenvinoEngine(bundle, 32, tmp_path / "float.onnx")
    assert prove(bundle, engine, "onnx").holds
    assert (engine.accelerator_asked, engine.accelerator_used) == ("CPU", "CPU")
    tile = read_picture(bundle.file(bundle.manifest.golden[0].tile))
    apart = engine.run(FLOAT, tile).astype(int) - engine.run(8, tile)
    assert np.abs(apart).mean() < 2


def test_what_is_refused_is_named(tmp_path: Path) -> None:
    folder = write_tiny_bundle(tmp_path / "bundle")
    manifest = read_manifest(folder)
    manifest["subgraphs"][0]["onnx"] = "manifest.bad"
    (folder / "manifest.bad").write_text("no graph")
    manifest["files"].append({"path": "manifest.bad", "size": 8, "sha256": sha("no graph")})
    write_manifest(folder, manifest)
    engine = OpenvinoEngine(Bundle.open(folder), 16, None)
    with pytest.raises(EngineError, match=r"OpenVINO refuses .*manifest\.bad"):
        engine.run(4, TILES[0])
    with pytest.raises(EngineError, match=r"8\.onnx failed on OpenVINO"):
        engine.run(8, TILES[0][:8])


def sha(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()
