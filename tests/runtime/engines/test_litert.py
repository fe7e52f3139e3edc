from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from gdq_core.errors import BundleError, EngineError
from gdq_exporter.targets.tflite import operators
from gdq_exporter.targets.tflite.model_builder import PIXELS, ModelBuilder
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.litert import LitertEngine
from runtime.tiny_bundle import predict, read_manifest, seal, upscale, write_manifest
from runtime.tiny_tflite import FILE, tiny_graphs
from runtime.tiny_tflite import write_tiny_tflite_bundle as write

TILES = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 3), dtype=np.uint8)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write(tmp_path / "bundle")


def open_engine(bundle: Path) -> LitertEngine:
    return LitertEngine(Bundle.open(bundle))


@pytest.mark.parametrize("bit_width", [4, 5, 6, 8])
def test_runs_the_subgraph_asked_for(bundle: Path, bit_width: int) -> None:
    engine = open_engine(bundle)
    np.testing.assert_array_equal(engine.run(bit_width, TILES[0]), upscale(TILES[0], bit_width))


@pytest.mark.parametrize("scale", [1, 3])
def test_runs_any_scale(scale: int, tmp_path: Path) -> None:
    engine = open_engine(write(tmp_path / "bundle", scale=scale))
    np.testing.assert_array_equal(engine.run(6, TILES[0]), upscale(TILES[0], 6, scale))


@pytest.mark.parametrize("brightness", [0, 63, 64, 127, 128, 191, 192, 255])
def test_predicts_what_the_graph_computes(bundle: Path, brightness: int) -> None:
    tile = np.full((16, 16, 3), brightness, dtype=np.uint8)
    prediction = open_engine(bundle).predict(tile)
    assert prediction.bit_width == predict(tile)
    assert prediction.entropy == pytest.approx(brightness / 255)
    expected = -((brightness - np.array([40.0, 128.0, 215.0])) ** 2)
    np.testing.assert_allclose(prediction.logits, expected, rtol=1e-6)
    assert prediction.logits.dtype == np.float32


def test_is_shared_by_threads(bundle: Path) -> None:
    """Each has an interpreter of its own; results do not mix."""
    engine, tiles = open_engine(bundle), np.repeat(TILES, 8, axis=0)

    def work(number: int) -> bool:
        bit_width = (4, 5, 6, 8)[number % 4]
        tile = tiles[number]
        same = np.array_equal(engine.run(bit_width, tile), upscale(tile, bit_width))
        return same and engine.predict(tile).bit_width == predict(tile)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(len(tiles))))


def test_an_answer_does_not_change_when_the_next_tile_runs(bundle: Path) -> None:
    engine = open_engine(bundle)
    first = engine.run(8, TILES[0])
    engine.run(8, TILES[1])
    np.testing.assert_array_equal(first, upscale(TILES[0], 8))


def test_reads_back_its_accelerator(bundle: Path) -> None:
    engine = open_engine(bundle)
    assert (engine.name, engine.accelerator_asked, engine.accelerator_used) == (
        "litert",
        "XNNPACK",
        "XNNPACK",
    )


def test_says_if_xnnpack_does_not_take_all(bundle: Path) -> None:
    """CUMSUM is an operator of plain kernels."""
    model = ModelBuilder()
    graph = model.graph("bits4")
    pixels = operators.dequantize(graph, graph.input("tile", (1, 16, 16, 3), np.uint8, PIXELS))
    axis = graph.constant(1, np.int32)
    sums = graph.op("CUMSUM", [pixels, axis], pixels.shape, options=schema.CumsumOptionsT())
    graph.finish({"output": operators.quantize(graph, sums, PIXELS, np.uint8)})
    (bundle / FILE).write_bytes(model.to_bytes())
    seal(bundle)
    assert open_engine(bundle).accelerator_used.startswith("XNNPACK in part, and slower kernels")


def test_closing_twice_is_nothing(bundle: Path) -> None:
    engine = open_engine(bundle)
    engine.run(4, TILES[0])
    engine.close()
    engine.close()


def test_runs_tiles_of_one_size_only(bundle: Path) -> None:
    with pytest.raises(EngineError, match="takes tiles of 16x16 pixels, not 13x9"):
        open_engine(bundle).run(4, TILES[0][:9, :13])


def change_manifest(bundle: Path, change: Callable[[dict[str, Any]], object]) -> None:
    manifest = read_manifest(bundle)
    change(manifest)
    write_manifest(bundle, manifest)


def test_refuses_a_width_that_is_not_there(bundle: Path) -> None:
    change_manifest(bundle, lambda m: m["subgraphs"].pop(1))
    with pytest.raises(BundleError, match="has no subgraph of 5 bits; it has 4, 6, 8"):
        open_engine(bundle).run(5, TILES[0])


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    r"no signature 'other'.*it has bits4, bits5": (
        lambda m: m["subgraphs"][0]["tflite"].update(signature="other")
    ),
    r"has inputs \['tile'\], but the manifest says one uint8 tile of 16x16 pixels, 'x'": (
        lambda m: m["subgraphs"][0]["inputs"][0].update(name="x")
    ),
    r"the manifest says one uint8 tile of 20x20": lambda m: m["tiling"].update(size=20),
    r"has no output 'x'": lambda m: m["subgraphs"][0]["outputs"][0].update(name="x"),
    r"the manifest lists 3 outputs, expected 1": (
        lambda m: m["subgraphs"][0].update(outputs=m["predictor"]["outputs"])
    ),
    r"returns uint8 \(1, 32, 32, 3\), not uint8 \(1, 48, 48, 3\)": (
        lambda m: m["network"].update(scale=3)
    ),
    r"returns float32 \(1, 3\)": (
        lambda m: m["subgraphs"][0].update(
            tflite=m["predictor"]["tflite"], outputs=m["predictor"]["outputs"][:1]
        )
    ),
}


@pytest.mark.parametrize("sentence", CHANGES)
def test_refuses_a_graph_that_is_not_as_promised(bundle: Path, sentence: str) -> None:
    change_manifest(bundle, CHANGES[sentence])
    opened = Bundle.open(bundle)
    size = opened.manifest.tiling.size
    with pytest.raises(EngineError, match=sentence):
        LitertEngine(opened).run(4, np.zeros((size, size, 3), np.uint8))


@pytest.mark.parametrize(
    "content", [b"", b"no model", b"\0" * 4096, tiny_graphs(2, 16)[:999]], ids=len
)
def test_refuses_a_file_that_is_no_model(bundle: Path, content: bytes) -> None:
    (bundle / FILE).write_bytes(content)
    seal(bundle)
    engine = open_engine(bundle)
    with pytest.raises(EngineError, match=r"LiteRT refuses .*graphs\.tflite"):
        engine.run(4, TILES[0])
    with pytest.raises(EngineError, match=r"LiteRT refuses .*graphs\.tflite"):
        _ = engine.accelerator_used


def test_loads_only_the_graphs_that_are_called(bundle: Path) -> None:
    engine = open_engine(bundle)
    engine.run(8, TILES[0])
    assert [graph.signature for graph in engine._own.runners] == ["bits8"]
