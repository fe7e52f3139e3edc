from __future__ import annotations

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from gdq_core.errors import BundleError, EngineError
from gdq_models import tile_entropy
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.gdq import GdqEngine
from gdq_runtime.engines.registry import default_engine
from gdq_runtime.engines.timed import open_timed_engine
from runtime.engine_library import need_library
from runtime.tiny_bundle import read_manifest, seal, upscale, write_manifest
from runtime.tiny_bundle import write_tiny_bundle as write_onnx
from runtime.tiny_packed_model import FILE, packed_model, predict
from runtime.tiny_packed_model import write_tiny_packed_bundle as write

TILES = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 3), dtype=np.uint8)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    need_library()
    return write(tmp_path / "bundle")


def open_engine(bundle: Path) -> GdqEngine:
    return GdqEngine(Bundle.open(bundle))


@pytest.mark.parametrize("bit_width", [4, 5, 6, 8])
def test_runs_the_subgraph_asked_for(bundle: Path, bit_width: int) -> None:
    engine = open_engine(bundle)
    np.testing.assert_array_equal(engine.run(bit_width, TILES[0]), upscale(TILES[0], bit_width))


@pytest.mark.parametrize("scale", [3, 4])
def test_runs_any_scale(scale: int, tmp_path: Path) -> None:
    need_library()
    engine = open_engine(write(tmp_path / "bundle", scale=scale))
    np.testing.assert_array_equal(engine.run(6, TILES[0]), upscale(TILES[0], 6, scale))


def test_runs_tiles_of_any_size(bundle: Path) -> None:
    engine = GdqEngine(Bundle.open(bundle))
    for height, width in [(16, 16), (5, 16), (16, 9), (5, 9), (2, 2), (13, 7), (16, 16)]:
        tile = TILES[1][:height, :width]
        np.testing.assert_array_equal(engine.run(8, tile), upscale(tile, 8))
    assert len(engine._own.runners) == 4


@pytest.mark.parametrize("brightness", [0, 63, 64, 127, 128, 191, 192, 255])
def test_predicts_what_the_graph_computes(bundle: Path, brightness: int) -> None:
    tile = np.full((16, 16, 3), brightness, dtype=np.uint8)
    prediction = open_engine(bundle).predict(tile)
    assert prediction.bit_width == predict(tile)
    expected = [0, brightness - 85, 2 * brightness - 255]
    np.testing.assert_allclose(prediction.logits, expected, atol=1e-4)
    image = torch.from_numpy(tile).permute(2, 0, 1)[None].double()
    assert prediction.entropy == pytest.approx(tile_entropy(image).item(), abs=1e-5)


def test_is_shared_by_threads(bundle: Path) -> None:
    engine, tiles = open_engine(bundle), np.repeat(TILES, 8, axis=0)

    def work(number: int) -> bool:
        bit_width, tile = (4, 5, 6, 8)[number % 4], tiles[number]
        same = np.array_equal(engine.run(bit_width, tile), upscale(tile, bit_width))
        return same and engine.predict(tile).bit_width == predict(tile)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(len(tiles))))


def test_an_answer_does_not_change_when_the_next_tile_runs(bundle: Path) -> None:
    engine = open_engine(bundle)
    first = engine.run(8, TILES[0])
    engine.run(8, TILES[1])
    np.testing.assert_array_equal(first, upscale(TILES[0], 8))


def test_closing_frees_the_buffers_of_all_threads(bundle: Path) -> None:
    engine = open_engine(bundle)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(engine.run, 4, TILES[0]).result()
        runner = pool.submit(lambda: weakref.ref(engine._own.runners[16, 16])).result()
        assert runner() is not None
        engine.close()
        gc.collect()
        assert runner() is None
    engine.close()


def test_reads_back_its_instruction_set(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    best = next(name for name, here in need_library().instruction_sets().items() if here)
    assert open_engine(bundle).accelerator_used == f"CPU, {best}"
    monkeypatch.setenv("GDQ_ISA", "scalar")
    engine = open_engine(bundle)
    assert (engine.name, engine.accelerator_asked, engine.accelerator_used) == (
        "gdq",
        "CPU",
        "CPU, scalar",
    )


def test_refuses_an_instruction_set_that_is_not_there(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GDQ_ISA", "abacus")
    with pytest.raises(EngineError, match=r"GDQ_ISA is 'abacus', but .* only .*scalar$"):
        open_engine(bundle)
    # Asked for, so not a reason to take another engine silently.
    with pytest.raises(EngineError, match="GDQ_ISA is 'abacus'"):
        open_timed_engine(None, Bundle.open(bundle), 16)


def test_is_the_default_where_it_can_be(bundle: Path, tmp_path: Path) -> None:
    engine = open_timed_engine(None, Bundle.open(bundle), 16)
    assert engine.name == "gdq"
    assert engine.report().notes == ()
    name, reason = default_engine(Bundle.open(write_onnx(tmp_path / "onnx")))
    assert name == "onnxruntime"
    assert reason is not None
    assert reason.startswith("engine 'onnxruntime' is used: ")
    assert reason.endswith("it was exported with --formats onnx")


def test_refuses_a_width_that_is_not_there(bundle: Path) -> None:
    manifest = read_manifest(bundle)
    manifest["subgraphs"].pop(1)
    write_manifest(bundle, manifest)
    with pytest.raises(BundleError, match="has no subgraph of 5 bits; it has 4, 6, 8"):
        open_engine(bundle).run(5, TILES[0])


def test_refuses_several_packed_models(bundle: Path) -> None:
    (bundle / "other.gdq").write_bytes(packed_model())
    seal(bundle)
    manifest = read_manifest(bundle)
    manifest["subgraphs"][0]["engine"] = "other.gdq"
    write_manifest(bundle, manifest)
    with pytest.raises(EngineError, match="its graphs are in several packed models instead of one"):
        open_engine(bundle)


def change_model(bundle: Path, content: bytes) -> None:
    (bundle / FILE).write_bytes(content)
    seal(bundle)


def test_refuses_a_model_without_a_promised_width(bundle: Path) -> None:
    change_model(bundle, packed_model(2, (4, 6, 8)))
    with pytest.raises(EngineError, match=rf"{FILE} failed: .*5"):
        open_engine(bundle).run(5, TILES[0])


def test_refuses_a_model_of_another_scale(bundle: Path) -> None:
    change_model(bundle, packed_model(3))
    with pytest.raises(EngineError, match=r"returns uint8 \(1, 48, 48, 3\), not uint8"):
        open_engine(bundle).run(5, TILES[0])


@pytest.mark.parametrize(
    "content", [b"", b"no model", bytes(4096), packed_model()[:200]], ids=["0", "text", "0s", "cut"]
)
def test_refuses_a_file_that_is_no_model(bundle: Path, content: bytes) -> None:
    change_model(bundle, content)
    with pytest.raises(EngineError, match=rf"engine 'gdq' refuses .*{FILE}: ."):
        open_engine(bundle)
