from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from factories import sample_tiles
from gdq_core.bit_widths import BIT_WIDTHS
from gdq_exporter import ExportResult
from gdq_exporter.golden import write_golden
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.ort import OrtEngine

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
    golden = write_golden(tmp_path, engine, BIT_WIDTHS, TILES)
    assert len(golden) == 4
    for entry in golden:
        tile = read(tmp_path / entry.tile)
        prediction = engine.predict(tile)
        assert (entry.bit_width, entry.entropy) == (prediction.bit_width, prediction.entropy)
        np.testing.assert_array_equal(np.array(entry.logits, np.float32), prediction.logits)
        for width, path in entry.outputs.items():
            np.testing.assert_array_equal(read(tmp_path / path), engine.run(int(width), tile))


def test_proves_every_width_and_every_decision(engine: OrtEngine, tmp_path: Path) -> None:
    """Outputs of all four widths, each tile's own among them; decisions as varied as can be."""
    golden = write_golden(tmp_path, engine, BIT_WIDTHS, TILES)
    assert {width for entry in golden for width in entry.outputs} == {"4", "5", "6", "8"}
    assert all(str(entry.bit_width) in entry.outputs for entry in golden)
    possible = {engine.predict(tile).bit_width for tile in TILES}
    assert {entry.bit_width for entry in golden} == possible


def test_four_tiles_are_enough(engine: OrtEngine, tmp_path: Path) -> None:
    golden = write_golden(tmp_path, engine, BIT_WIDTHS, TILES[:1].repeat(4, axis=0))
    assert {width for entry in golden for width in entry.outputs} == {"4", "5", "6", "8"}
