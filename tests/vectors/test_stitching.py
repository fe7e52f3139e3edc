from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gdq_core.pictures.rows import ArraySource
from gdq_runtime.tiles.bands import read_bands
from gdq_runtime.tiles.stitch import Stitcher
from gdq_runtime.tiles.tiling import Span, TilePlan
from vectors.write import load

PICTURES = load("stitching")["pictures"]


def plan_of(case: dict[str, Any]) -> TilePlan:
    return TilePlan(case["width"], case["height"], case["tile"], case["overlap"], case["policy"])


@pytest.mark.parametrize("case", PICTURES)
def test_each_tile_contributes_its_part(case: dict[str, Any]) -> None:
    """A tile alone, in a picture of nothing else."""
    plan, scale = plan_of(case), case["scale"]
    for row, down in zip(plan.rows, case["rows"], strict=True):
        for column, across in zip(plan.columns, case["columns"], strict=True):
            height, width = (scale * (span.stop - span.start) for span in (row, column))
            marks = np.arange(height * width * 3).reshape(height, width, 3)
            tile = (marks % 250 + 1).astype(np.uint8)
            stitcher = Stitcher(plan, scale)
            stitcher._buffer[:] = 0
            stitcher.place(row, column, tile)
            expected = np.zeros_like(stitcher._buffer)
            top, bottom = down["take"]
            expected[: bottom - top, slice(*across["put"])] = tile[
                top:bottom, slice(*across["take"])
            ]
            np.testing.assert_array_equal(stitcher._buffer, expected)


@pytest.mark.parametrize("case", [case for case in PICTURES if case["result"] is not None])
def test_tiles_come_together(case: dict[str, Any]) -> None:
    plan, scale, rows = plan_of(case), case["scale"], []
    stitcher, number = Stitcher(plan, scale), 0
    source = ArraySource(np.zeros((plan.height, plan.width, 3), dtype=np.uint8))
    for band in read_bands(source, plan):
        for column in plan.columns:
            stitcher.place(band.row, column, made_up(number, band.row, column, scale))
            number += 1
        rows.append(stitcher.finish(band, 3).copy())
    np.testing.assert_array_equal(np.concatenate(rows)[..., 0], case["result"])


def made_up(number: int, row: Span, column: Span, scale: int) -> NDArray[np.uint8]:
    """The tile that the vectors' README describes."""
    height, width = (scale * (span.stop - span.start) for span in (row, column))
    y, x, _ = np.mgrid[:height, :width, :3]
    return np.asarray((97 * number + 5 * y + 3 * x) % 256, dtype=np.uint8)
