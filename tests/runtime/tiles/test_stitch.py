from __future__ import annotations

import cv2
import numpy as np
import pytest

from core.made_pictures import random_image
from gdq_core.pictures.rows import ArraySource
from gdq_runtime.tiles.bands import read_bands
from gdq_runtime.tiles.stitch import Stitcher, upscale_alpha
from gdq_runtime.tiles.tiling import POLICIES, Policy, TilePlan, cut_tile
from runtime.tiny_bundle import upscale


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("scale", [1, 2, 3])
def test_tiles_come_together_as_the_picture(policy: Policy, scale: int) -> None:
    image = random_image(61, 45)
    plan = TilePlan(45, 61, 16, 4, policy)
    stitcher = Stitcher(plan, scale)
    rows = []
    for band in read_bands(ArraySource(image), plan):
        for column in plan.columns:
            tile = cut_tile(band.colour, band.row, column)
            stitcher.place(band.row, column, upscale(tile, 0, scale))
        rows.append(stitcher.finish(band, 3).copy())
    np.testing.assert_array_equal(np.concatenate(rows), upscale(image, 0, scale))


@pytest.mark.parametrize("overlap", [0, 1, 4])
@pytest.mark.parametrize("scale", [1, 2, 3, 4])
@pytest.mark.parametrize("height", [1, 2, 3, 16, 61])
def test_alpha_has_no_seams(overlap: int, scale: int, height: int) -> None:
    image = random_image(height, 9, 4)
    plan = TilePlan(9, height, 16, overlap)
    rows = []
    for band in read_bands(ArraySource(image), plan):
        assert band.alpha is not None
        rows.append(upscale_alpha(band.alpha, band.row, scale))
    size = (9 * scale, height * scale)
    whole = cv2.resize(image[..., 3], size, interpolation=cv2.INTER_CUBIC)
    np.testing.assert_allclose(np.concatenate(rows).astype(int), whole, atol=1)
