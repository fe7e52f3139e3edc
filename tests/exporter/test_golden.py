from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from factories import sample_tiles
from gdq_exporter import ExportResult
from gdq_exporter.golden import add_outputs, share_outputs, write_golden_tiles
from gdq_exporter.targets.registry import get_target
from gdq_runtime.bundle.manifest import Format
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.ort import OrtEngine

ONNX, TFLITE, ENGINE = (get_target(name) for name in get_args(Format))
TILES = sample_tiles(16).permute(0, 2, 3, 1).byte().numpy()


@pytest.fixture(scope="module")
def engine(exported: ExportResult) -> Iterator[OrtEngine]:
    opened = OrtEngine(Bundle(exported.bundle, exported.manifest), 32)
    yield opened
    opened.close()


def read(path: Path) -> NDArray[np.uint8]:
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    return np.asarray(picture[:, :, ::-1], np.uint8)


def test_stores_what_the_engine_answers(engine: OrtEngine, tmp_path: Path) -> None:
    golden = write_golden_tiles(tmp_path, ONNX, engine, TILES)
    assert len(golden) == 4
    for entry in golden:
        tile = read(tmp_path / entry.tile)
        prediction = engine.predict(tile)
        assert (entry.bit_width, entry.entropy) == (prediction.bit_width, prediction.entropy)
        np.testing.assert_array_equal(np.array(entry.logits, np.float32), prediction.logits)
        for width, path in entry.outputs["onnx"].items():
            np.testing.assert_array_equal(read(tmp_path / path), engine.run(int(width), tile))


def test_proves_every_width_and_every_decision(engine: OrtEngine, tmp_path: Path) -> None:
    """Outputs of all four widths, each tile's own among them; decisions as varied as can be."""
    golden = write_golden_tiles(tmp_path, ONNX, engine, TILES)
    assert {width for entry in golden for width in entry.outputs["onnx"]} == {"4", "5", "6", "8"}
    assert all(str(entry.bit_width) in entry.outputs["onnx"] for entry in golden)
    possible = {engine.predict(tile).bit_width for tile in TILES}
    assert {entry.bit_width for entry in golden} == possible


def test_four_tiles_are_enough(engine: OrtEngine, tmp_path: Path) -> None:
    golden = write_golden_tiles(tmp_path, ONNX, engine, TILES[:1].repeat(4, axis=0))
    assert {width for entry in golden for width in entry.outputs["onnx"]} == {"4", "5", "6", "8"}


def test_a_format_that_rounds_in_its_own_way_has_its_own_outputs(
    engine: OrtEngine, tmp_path: Path
) -> None:
    """Of the same tiles at the same widths; one that rounds alike names the same files."""
    golden = write_golden_tiles(tmp_path, ONNX, engine, TILES)
    golden = share_outputs(golden, ONNX, TFLITE)
    golden = add_outputs(tmp_path, golden, ENGINE, engine)
    for entry in golden:
        assert entry.outputs["tflite"] == entry.outputs["onnx"]
        own = entry.outputs["engine"]
        assert own.keys() == entry.outputs["onnx"].keys()
        assert not set(own.values()) & set(entry.outputs["onnx"].values())
        for width, path in own.items():
            picture = read(tmp_path / entry.outputs["onnx"][width])
            np.testing.assert_array_equal(read(tmp_path / path), picture)
