from __future__ import annotations

import numpy as np

from gdq_bench.measure.candidates import Candidate
from gdq_bench.measure.clock import Times
from gdq_bench.measure.tiles import measure_tiles, summarise_tiles
from gdq_core.bit_widths import FLOAT

TILE = np.full((32, 32, 3), 90, dtype=np.uint8)


def test_every_engine_runs_all_its_widths(candidates: list[Candidate]) -> None:
    done: list[tuple[int, int]] = []
    tiles = measure_tiles(candidates, TILE, 2, lambda *numbers: done.append(numbers))
    widths = {"onnxruntime": [4, 5, 6, 8, FLOAT], "litert": [4, 5, 6, 8]}
    for name, expected in widths.items():
        assert [tile.bits for tile in tiles if tile.engine == name] == expected
    assert all(tile.wall.rounds == 2 for tile in tiles)
    assert all(tile.wall.smallest > 0 for tile in tiles)
    assert done[-1] == (3, 3)


def test_ratios_are_of_processor_time_to_the_baseline() -> None:
    times = {
        ("fast", 4): Times(wall=[9, 9], cpu=[1, 3]),
        ("onnxruntime", 8): Times(wall=[2, 2], cpu=[2, 6]),
    }
    fast, baseline = summarise_tiles(times)
    assert fast.ratio is not None
    assert (fast.ratio.median, fast.ratio.lower) == (0.5, 0.5)
    assert baseline.ratio is not None
    assert baseline.ratio.median == 1
    del times["onnxruntime", 8]
    (alone,) = summarise_tiles(times)
    assert alone.ratio is None
