from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.made_pictures import random_image
from gdq_core.pictures.rows import ArraySource
from gdq_core.pictures.transparency import REACH, spread_colours


def spread(image: NDArray[np.uint8], step: int = 16) -> NDArray[np.uint8]:
    source = spread_colours(ArraySource(image))
    heights = [min(step, source.height - start) for start in range(0, source.height, step)]
    return np.concatenate([source.read_rows(height) for height in heights])


def with_holes(height: int, width: int, share: float, seed: int = 0) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (height, width, 4), dtype=np.uint8)
    image[rng.random((height, width)) < share, 3] = 0
    return image


def test_of_one_visible_colour_there_is_no_other() -> None:
    image = np.zeros((30, 30, 4), dtype=np.uint8)
    image[..., :3] = (0, 255, 0)
    image[10:20, 10:20] = (220, 40, 30, 255)
    image[10, 10, 3] = 1
    result = spread(image)
    assert (result[..., :3] == (220, 40, 30)).all()
    np.testing.assert_array_equal(result[..., 3], image[..., 3])


def test_what_is_visible_is_not_touched() -> None:
    image = with_holes(40, 50, 0.5)
    visible = image[..., 3] > 0
    np.testing.assert_array_equal(spread(image)[visible], image[visible])


def test_the_hidden_colour_does_not_matter() -> None:
    image = with_holes(40, 50, 0.8)
    other = image.copy()
    other[image[..., 3] == 0, :3] = 77
    np.testing.assert_array_equal(spread(image), spread(other))


@settings(max_examples=40)
@given(
    height=st.integers(1, 60),
    width=st.integers(1, 40),
    share=st.floats(0, 1),
    steps=st.lists(st.integers(1, 70), min_size=2, max_size=2),
)
def test_how_rows_are_asked_for_does_not_matter(
    height: int, width: int, share: float, steps: list[int]
) -> None:
    image = with_holes(height, width, share, height)
    np.testing.assert_array_equal(spread(image, steps[0]), spread(image, steps[1]))


def test_the_colours_are_the_sum_of_the_definition() -> None:
    image = with_holes(36, 36, 0.9)
    result = spread(image)
    for y, x in np.argwhere(image[..., 3] == 0)[::37]:
        total, weights = np.zeros(3), 0.0
        for v in range(max(y - REACH, 0), min(y + REACH + 1, 36)):
            for u in range(max(x - REACH, 0), min(x + REACH + 1, 36)):
                weight = image[v, u, 3] * 2.0 ** -(abs(int(v) - y) + abs(int(u) - x))
                total, weights = total + weight * image[v, u, :3], weights + weight
        np.testing.assert_allclose(result[y, x, :3], total / weights, atol=0.51)


def test_nothing_visible_is_black() -> None:
    image = np.full((20, 20, 4), 200, dtype=np.uint8)
    image[..., 3] = 0
    assert not spread(image).any()


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_without_alpha_pass_through(channels: int) -> None:
    image = random_image(9, 9, channels)
    source = ArraySource(image.squeeze(2) if channels == 1 else image)
    assert spread_colours(source) is source
