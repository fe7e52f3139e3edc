from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.made_pictures import random_image
from gdq_core.errors import ImageError, RequestError
from gdq_core.pictures.rows import ArraySink, ArraySource, has_alpha, join_alpha, split_alpha


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3), (5, 7, 4)])
def test_an_array_comes_back_row_by_row(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    source = ArraySource(image)
    assert (source.height, source.width) == shape[:2]
    sink = ArraySink(source.height, source.width, source.channels)
    for count in (2, 0, 3):
        sink.write_rows(source.read_rows(count))
    np.testing.assert_array_equal(sink.image, image)
    assert sink.image.shape == shape


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4, 3), dtype=np.float32),
        np.zeros((4, 4, 2), dtype=np.uint8),
        np.zeros((4, 4, 1), dtype=np.uint8),
        np.zeros(4, dtype=np.uint8),
        np.zeros((0, 4, 3), dtype=np.uint8),
        np.zeros((4, 0), dtype=np.uint8),
        np.zeros((1, 4, 4, 3), dtype=np.uint8),
    ],
)
def test_other_arrays_are_refused(image: np.ndarray) -> None:
    with pytest.raises(ImageError, match="an image must be uint8 of shape"):
        ArraySource(image)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("photo.png", "not the name 'photo.png': upscale_file reads files"),
        (Path("photo.png"), "upscale_file reads files"),
        ([[1, 2], [3, 4]], r"not list: numpy\.asarray\(image, numpy\.uint8\) makes one of numbers"),
        (Image.new("P", (4, 4)), r'numpy\.asarray\(image\.convert\("RGB"\)\) one of a PIL image'),
        (None, "not NoneType"),
        (b"\x89PNG", "upscale_file reads files"),
    ],
)
def test_what_is_no_array_is_refused_with_the_way_to_one(given: Any, sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        ArraySource(given)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_splitting_and_joining_are_inverse(channels: int) -> None:
    rows = random_image(6, 5, channels)
    colour, alpha = split_alpha(rows)
    assert colour.shape == (6, 5, 3)
    assert (alpha is not None) == has_alpha(channels)
    np.testing.assert_array_equal(join_alpha(colour, alpha, channels), rows)


def test_gray_is_the_luma_of_what_the_network_made() -> None:
    colour = random_image(6, 5)
    gray = join_alpha(colour, None, 1)
    expected = colour @ np.array([0.299, 0.587, 0.114])
    assert gray.shape == (6, 5, 1)
    np.testing.assert_allclose(gray[..., 0], expected, atol=0.51)
