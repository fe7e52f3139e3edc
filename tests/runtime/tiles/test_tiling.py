from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdq_runtime.tiles.tiling import POLICIES, SMALLEST_SIDE, Span, TilePlan, cut_tile

sides = st.integers(1, 400)


@st.composite
def plans(draw: st.DrawFn) -> TilePlan:
    tile = 4 * draw(st.integers(4, 32))
    overlap = draw(st.integers(0, tile // 2))
    return TilePlan(draw(sides), draw(sides), tile, overlap, draw(st.sampled_from(POLICIES)))


@given(plans())
def test_owned_regions_partition_the_picture(plan: TilePlan) -> None:
    owners = np.zeros((plan.height, plan.width), dtype=int)
    for row in plan.rows:
        for column in plan.columns:
            owners[row.own_start : row.own_stop, column.own_start : column.own_stop] += 1
    assert (owners == 1).all()
    assert plan.shape == (len(plan.rows), len(plan.columns))
    assert plan.count == len(plan.rows) * len(plan.columns)


@given(plans())
def test_a_tile_owns_only_what_it_covers(plan: TilePlan) -> None:
    for spans, length in ((plan.rows, plan.height), (plan.columns, plan.width)):
        for span in spans:
            assert 0 <= span.start <= span.own_start < span.own_stop <= span.stop
            assert span.own_stop <= length


@given(plans())
def test_inner_borders_keep_half_of_the_overlap_away(plan: TilePlan) -> None:
    for spans in (plan.rows, plan.columns):
        for left, right in pairwise(spans):
            assert left.own_stop == right.own_start
            assert left.stop - left.own_stop >= plan.overlap // 2
            assert right.own_start - right.start >= plan.overlap // 2


@given(plans())
def test_sizes_follow_the_policy(plan: TilePlan) -> None:
    for spans, length in ((plan.rows, plan.height), (plan.columns, plan.width)):
        sizes = [span.stop - span.start for span in spans]
        if plan.policy == "uniform":
            assert set(sizes) == {plan.tile}
            assert spans[-1].stop == max(length, plan.tile)
        else:
            assert set(sizes[:-1]) <= {plan.tile}
            assert SMALLEST_SIDE <= sizes[-1] <= 2 * plan.tile - plan.overlap - 1
            assert spans[-1].stop == max(length, SMALLEST_SIDE)


@pytest.mark.parametrize("length", [1, 50, 95, 96, 97, 185, 186, 187, 275, 276, 277, 510, 1000])
def test_paper_is_the_released_protocol(length: int) -> None:
    """starts = arange(0, max(L - 96, 0) + 1, 90); the last tile to the edge; cut 3 pixels."""
    starts = np.arange(0, max(length - 96, 0) + 1, 90)
    plan = TilePlan(length, length, 96, 6, "paper")
    assert [span.start for span in plan.columns] == starts.tolist()
    assert [span.own_start for span in plan.columns] == [0, *(starts[1:] + 3)]
    assert [span.own_stop for span in plan.columns] == [*(starts[1:] + 3), length]
    if length >= SMALLEST_SIDE:
        assert plan.columns[-1].stop == length


def test_uniform_moves_the_last_tile_back_and_cuts_its_real_overlap() -> None:
    assert TilePlan(200, 96, 96, 6, "uniform").columns == (
        Span(0, 96, 0, 93),
        Span(90, 186, 93, 145),
        Span(104, 200, 145, 200),
    )
    assert TilePlan(200, 96, 96, 6, "uniform").rows == (Span(0, 96, 0, 96),)


@given(
    height=st.integers(1, 20),
    width=st.integers(1, 20),
    tile=st.sampled_from([16, 20]),
)
def test_small_pictures_are_reflected(height: int, width: int, tile: int) -> None:
    counted = np.arange(height * width * 3, dtype=np.uint16).reshape(height, width, 3)
    picture = (counted % 251).astype(np.uint8)
    plan = TilePlan(width, height, tile, 4)
    cut = cut_tile(picture[: plan.rows[0].stop], plan.rows[0], plan.columns[0])
    assert cut.shape == (tile, tile, 3)
    for y in range(tile):
        for x in range(tile):
            expected = picture[mirror(y, height), mirror(x, width)]
            np.testing.assert_array_equal(cut[y, x], expected)


def mirror(index: int, length: int) -> int:
    """abc -> abcbabcb..., a -> aaa..."""
    if length == 1:
        return 0
    index %= 2 * length - 2
    return min(index, 2 * length - 2 - index)


def test_tiles_are_contiguous_copies() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (32, 50, 3), dtype=np.uint8)
    plan = TilePlan(50, 32, 16, 4)
    row, column = plan.rows[1], plan.columns[2]
    tile = cut_tile(picture[row.start : row.stop], row, column)
    assert tile.flags.c_contiguous
    np.testing.assert_array_equal(tile, picture[row.start : row.stop, column.start : column.stop])


@pytest.mark.parametrize(
    ("width", "height", "tile", "overlap", "policy"),
    [(0, 1, 16, 4, "uniform"), (1, 1, 12, 4, "uniform"), (1, 1, 16, 9, "uniform"),
     (1, 1, 16, -1, "uniform"), (1, 1, 16, 4, "other")],
)  # fmt: skip
def test_nonsense_is_refused(width: int, height: int, tile: int, overlap: int, policy: str) -> None:
    with pytest.raises(ValueError, match="no plan"):
        TilePlan(width, height, tile, overlap, policy)  # type: ignore[arg-type]
