from __future__ import annotations

from dataclasses import astuple
from typing import Any

import numpy as np
import pytest

from gdq_runtime.tiles.tiling import TilePlan, cut_tile
from vectors.write import load

VECTORS = load("tiling")


@pytest.mark.parametrize("case", VECTORS["sides"])
def test_sides_are_cut_alike(case: dict[str, Any]) -> None:
    tiling = case["tile"], case["overlap"], case["policy"]
    expected = [tuple(span) for span in case["spans"]]
    assert [astuple(span) for span in TilePlan(case["length"], 1, *tiling).columns] == expected
    assert [astuple(span) for span in TilePlan(1, case["length"], *tiling).rows] == expected


@pytest.mark.parametrize("case", VECTORS["padding"])
def test_padding_reflects(case: dict[str, Any]) -> None:
    length, tile = case["length"], case["tile"]
    picture = np.arange(length, dtype=np.uint8)
    for axis in (0, 1):
        width, height = (length, tile) if axis == 1 else (tile, length)
        plan = TilePlan(width, height, tile, 0)
        side = picture if axis == 1 else picture[:, np.newaxis]
        band = np.broadcast_to(side[..., np.newaxis], (height, width, 3))
        cut = cut_tile(band, plan.rows[0], plan.columns[0])
        assert cut.shape == (tile, tile, 3)
        assert np.moveaxis(cut, axis, 0)[:, 0, 0].tolist() == case["sources"]
