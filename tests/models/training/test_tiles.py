from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gdq_models.training.tiles import cut_tiles


@given(height=st.integers(4, 20), width=st.integers(4, 20), side=st.integers(1, 4))
def test_cuts_whole_tiles_row_by_row(height: int, width: int, side: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
    tiles = cut_tiles(image, side).numpy()
    corners = [
        (y, x) for y in range(0, height - side + 1, side) for x in range(0, width - side + 1, side)
    ]
    assert len(tiles) == len(corners)
    for tile, (y, x) in zip(tiles, corners, strict=True):
        np.testing.assert_array_equal(tile.transpose(1, 2, 0), image[y : y + side, x : x + side])
