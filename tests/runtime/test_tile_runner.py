"""How many tiles are in work at once, counted by an engine and a sink that watch."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from numpy.typing import NDArray

from core.made_pictures import random_image
from gdq_core.pictures.rows import ArraySink, ArraySource, Rows
from gdq_core.sensitivity.heads import Sensitivity
from gdq_runtime.engines.base import Prediction
from gdq_runtime.routing.router import Router
from gdq_runtime.tile_runner import TileRunner
from gdq_runtime.tiles.tiling import TilePlan
from gdq_runtime.tiles.workers import Workers
from gdq_runtime.timings import Stopwatch

TILE, OVERLAP = 16, 4


class Engine:
    """Counts; its tiles may wait for one another."""

    name = accelerator_asked = accelerator_used = "counting"

    def __init__(self, together: int = 1) -> None:
        self._together = threading.Barrier(together, timeout=10)
        self._lock = threading.Lock()
        self.begun = 0

    def predict(self, tile: NDArray[np.uint8]) -> Prediction:
        return Prediction(np.zeros(3, np.float32), 1.0, 4)

    def sense(self, tile: NDArray[np.uint8]) -> Sensitivity:
        raise NotImplementedError

    def run(self, bit_width: int, tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
        with self._lock:
            self.begun += 1
        self._together.wait()
        return tile

    def close(self) -> None:
        pass

    def count_from(self, expected: int) -> int:
        """Returns how many tiles have begun, waiting a while for as many as expected and more."""
        deadline = time.monotonic() + 5
        while self.begun < expected and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(0.05)
        return self.begun


class Sink(ArraySink):
    """Counts, whenever a band is written, how many tiles have begun meanwhile."""

    def __init__(self, width: int, height: int, engine: Engine, expected: list[int]) -> None:
        super().__init__(height, width, 3)
        self._engine, self._expected = engine, expected
        self.begun: list[int] = []

    def write_rows(self, rows: Rows) -> None:
        self.begun.append(self._engine.count_from(self._expected[len(self.begun)]))
        super().write_rows(rows)


def picture_of(columns: int, rows: int) -> NDArray[np.uint8]:
    """So many tiles."""
    stride = TILE - OVERLAP
    return random_image(rows * stride + OVERLAP, columns * stride + OVERLAP)


def run(image: NDArray[np.uint8], engine: Engine, threads: int, sink: ArraySink) -> None:
    workers = Workers(threads)
    plan = TilePlan(image.shape[1], image.shape[0], TILE, OVERLAP)
    runner = TileRunner(engine, workers, Router((4,)), 1, Stopwatch(), None)
    bit_map = runner.run(ArraySource(image), sink, plan)
    workers.close()
    np.testing.assert_array_equal(sink.image, image)
    assert bit_map.shape == plan.shape
    assert (bit_map == 4).all()


@pytest.mark.parametrize("columns", [1, 2, 9])
@pytest.mark.parametrize("threads", [2, 3])
def test_all_workers_have_tiles(columns: int, threads: int) -> None:
    """Tiles that wait until there are as many as workers: with one less they wait in vain."""
    image = picture_of(columns, 2 * threads)
    sink = ArraySink(image.shape[0], image.shape[1], 3)
    run(image, Engine(together=threads), threads, sink)


@pytest.mark.parametrize(
    ("columns", "threads", "ahead"),
    [(1, 1, 3), (3, 1, 5), (3, 2, 7), (32, 1, 34), (33, 1, 34), (80, 2, 36)],
)
def test_while_a_band_is_written_a_band_is_worked_on(
    columns: int, threads: int, ahead: int
) -> None:
    """As many tiles as there are columns, at most 32, and two per worker; the one just taken
    leaves its place to none, for the caller is busy."""
    image, engine = picture_of(columns, 3), Engine()
    expected = [min(band * columns + ahead - 1, 3 * columns) for band in (1, 2, 3)]
    sink = Sink(image.shape[1], image.shape[0], engine, expected)
    run(image, engine, threads, sink)
    assert sink.begun == expected
