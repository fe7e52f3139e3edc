from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from core.made_pictures import random_image
from core.pictures.profiles import large_profile
from gdq_core.pictures.colour.meaning import UNSAID, ColourMeaning
from gdq_core.pictures.encoders.base import PictureHeader
from gdq_core.pictures.encoders.jpeg import JpegEncoder


def encode(path: Path, image: np.ndarray, meaning: ColourMeaning = UNSAID, step: int = 7) -> Path:
    height, width, channels = image.shape
    encoder = JpegEncoder(path, PictureHeader(width, height, channels, meaning))
    for start in range(0, height, step):
        encoder.write_rows(image[start : start + step])
    encoder.finish()
    return path


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (63, 9), (64, 64), (65, 17), (128, 8), (700, 33), (130, 2000)]
)
@pytest.mark.parametrize("step", [7, 64, 1000])
def test_strips_are_the_picture_encoded_at_once(
    tmp_path: Path, height: int, width: int, channels: int, step: int
) -> None:
    """Of one decoder, the samples of our file and of one without restarts are the same."""
    image = random_image(height, width, channels)
    at_once = io.BytesIO()
    Image.fromarray(image.squeeze(2) if channels == 1 else image).save(
        at_once, format="JPEG", quality=95, subsampling=0
    )
    path = encode(tmp_path / "a.jpg", image, step=step)
    with Image.open(path) as ours, Image.open(at_once) as whole:
        assert ours.mode == whole.mode
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(whole))


def test_the_widest_picture_fits_between_two_markers(tmp_path: Path) -> None:
    image = np.tile(random_image(65, 131), (1, 500, 1))
    assert image.shape == (65, 65_500, 3)
    path = encode(tmp_path / "a.jpg", image)
    decoded = cv2.imread(str(path))
    assert decoded is not None
    assert np.abs(decoded[..., ::-1].astype(int) - image).mean() < 3


@pytest.mark.parametrize("size", [3000, 65_000, 65_519, 66_000, 1_000_000])
def test_a_profile_is_spread_over_segments(tmp_path: Path, size: int) -> None:
    profile = large_profile(size)
    path = encode(tmp_path / "a.jpg", random_image(9, 9), ColourMeaning(profile))
    with Image.open(path) as read:
        assert read.info["icc_profile"] == profile
