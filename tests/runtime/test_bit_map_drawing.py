from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.made_pictures import random_image
from gdq_core.pictures.rows import ArraySource
from gdq_runtime.bit_map_drawing import Thumbnail, draw_bit_map
from gdq_runtime.tiles.tiling import TilePlan


def collect(image: np.ndarray, step: int) -> np.ndarray:
    thumbnail = Thumbnail(ArraySource(image))
    rows = [
        thumbnail.read_rows(min(step, image.shape[0] - start))
        for start in range(0, image.shape[0], step)
    ]
    np.testing.assert_array_equal(np.concatenate(rows), image)  # what passes through is unchanged
    return thumbnail.image


def test_a_small_picture_is_kept_as_it_is() -> None:
    image = random_image(40, 30)
    np.testing.assert_array_equal(collect(image, 7), image)


@pytest.mark.parametrize("step", [1, 3, 90, 5000])
def test_of_a_large_one_every_nth_row_is_kept(step: int) -> None:
    image = random_image(4000, 30)
    small = collect(image, step)
    assert small.shape == (1334, 10, 3)
    expected = image[::3].reshape(1334, 10, 3, 3).mean(axis=2)
    np.testing.assert_allclose(small, expected, atol=0.51)


def test_colours_show_the_bits() -> None:
    plan = TilePlan(32, 32, 16, 0)
    bit_map = np.array([[4, 5], [6, 8]], dtype=np.uint8)
    gray = np.full((32, 32, 3), 128, dtype=np.uint8)
    drawing = draw_bit_map(gray, plan, bit_map)
    side = drawing.shape[1]
    points = [side // 4, 3 * side // 4]
    quarters = {tuple(drawing[y, x].tolist()) for y in points for x in points}
    assert len(quarters) == 4
    blue, _, _, red = (drawing[y, x].astype(int) for y in points for x in points)
    assert blue[2] > blue[0]
    assert red[0] > red[2]


def test_a_color_changes_where_a_tile_stops_to_own() -> None:
    plan = TilePlan(26, 16, 16, 6)  # tiles 0..16 and 10..26, cut at 13
    bit_map = np.array([[4, 8]], dtype=np.uint8)
    drawing = draw_bit_map(np.full((16, 26, 3), 128, dtype=np.uint8), plan, bit_map)
    # In the last rows of the picture, below numbers and above the legend.
    row = drawing[drawing.shape[0] - 60].astype(int)
    warm = row[:, 0] > row[:, 2]
    factor = drawing.shape[1] // 26
    assert np.flatnonzero(warm)[0] == pytest.approx(13 * factor, abs=1)


@settings(max_examples=25)
@given(
    width=st.integers(1, 3000), height=st.integers(1, 3000), tile=st.sampled_from([16, 96, 1024])
)
def test_any_picture_can_be_drawn(width: int, height: int, tile: int) -> None:
    plan = TilePlan(width, height, tile, 4)
    bit_map = np.random.default_rng(0).choice([4, 5, 6, 8], plan.shape).astype(np.uint8)
    image = np.zeros((height, width, 3), dtype=np.uint8)
    drawing = draw_bit_map(collect(image, 1000), plan, bit_map)
    assert drawing.dtype == np.uint8
    assert max(drawing.shape) <= 2000


def test_many_routes_get_further_lines_of_the_legend() -> None:
    plan, image = TilePlan(288, 96, 32, 0), np.full((96, 288, 3), 128, dtype=np.uint8)
    nine = np.array([[0, 4, 5, 6, 8, 68, 69, 70, 72]] * 3, dtype=np.uint8)
    plain, drawing = (draw_bit_map(image, plan, bit_map) for bit_map in (nine % 64, nine))
    assert drawing.shape[0] > plain.shape[0]
    assert (drawing[plain.shape[0] :] < 128).any()
    # Tiles of the same width have another colour on the small network.
    inside = np.s_[20:25, ::100]
    assert (drawing[inside] != plain[inside]).any()


def test_a_caption_gets_a_line_of_the_legend() -> None:
    plan, bit_map = TilePlan(16, 16, 16, 0), np.array([[4]], dtype=np.uint8)
    gray = np.full((16, 16, 3), 128, dtype=np.uint8)
    plain = draw_bit_map(gray, plan, bit_map)
    drawing = draw_bit_map(gray, plan, bit_map, "5.7 ms a tile")
    height = plain.shape[0]
    np.testing.assert_array_equal(drawing[: height - 10], plain[: height - 10])
    assert (drawing[height:] < 128).any()
