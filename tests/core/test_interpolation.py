from __future__ import annotations

import numpy as np
import pytest

from gdq_core.interpolation import interpolate


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_interpolation_keeps_a_plane_away_from_the_border(scale: int) -> None:
    y, x = np.mgrid[:16, :12]
    tile = np.repeat((4 * y + 3 * x)[..., np.newaxis], 3, axis=2).astype(np.uint8)
    result = interpolate(tile, scale)
    assert result.shape == (16 * scale, 12 * scale, 3)
    y, x = (np.mgrid[: 16 * scale, : 12 * scale] + 0.5) / scale - 0.5
    inner = np.s_[2 * scale : -2 * scale, 2 * scale : -2 * scale]
    np.testing.assert_allclose(result[inner][..., 0], (4 * y + 3 * x)[inner], atol=0.75)


def test_tiles_that_overlap_agree_where_they_are_cut() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (16, 26, 3), dtype=np.uint8)
    left, right = interpolate(picture[:, :16], 2), interpolate(picture[:, 10:], 2)
    # The cut of an overlap of 6 is 3 pixels from either border.
    whole = interpolate(picture, 2)
    np.testing.assert_array_equal(left[:, :26], whole[:, :26])
    np.testing.assert_array_equal(right[:, 6:], whole[:, 26:])
