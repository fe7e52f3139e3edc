from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.made_pictures import random_image
from gdq_core.pictures.rows import ArraySource, Rows, split_alpha
from gdq_runtime.tiles.bands import ALPHA_CONTEXT, read_bands
from gdq_runtime.tiles.tiling import POLICIES, Policy, TilePlan


class CountingSource(ArraySource):
    """Remembers how many rows were asked for at once."""

    def __init__(self, image: Rows) -> None:
        super().__init__(image)
        self.counts: list[int] = []

    def read_rows(self, count: int) -> Rows:
        self.counts.append(count)
        return super().read_rows(count)


@given(
    height=st.integers(1, 120),
    channels=st.sampled_from([3, 4]),
    overlap=st.integers(0, 8),
    policy=st.sampled_from(POLICIES),
)
def test_bands_are_the_rows_of_the_plan(
    height: int, channels: int, overlap: int, policy: Policy
) -> None:
    image = random_image(height, 5, channels)
    plan = TilePlan(5, height, 16, overlap, policy)
    source = CountingSource(image)
    bands = list(read_bands(source, plan))
    assert [band.row for band in bands] == list(plan.rows)
    assert sum(source.counts) == height  # each row once
    colour, alpha = split_alpha(image)
    for band in bands:
        row = band.row
        np.testing.assert_array_equal(band.colour, colour[row.start : row.stop])
        if alpha is None:
            assert band.alpha is None
        else:
            above = max(row.own_start - ALPHA_CONTEXT, 0)
            np.testing.assert_array_equal(band.alpha, alpha[above : row.own_stop + ALPHA_CONTEXT])


def test_no_more_is_read_than_the_band_needs() -> None:
    source = CountingSource(random_image(100, 5))
    bands = read_bands(source, TilePlan(5, 100, 16, 4))
    next(bands)
    assert sum(source.counts) == 16
    next(bands)
    assert sum(source.counts) == 28
