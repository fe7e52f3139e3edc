from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from core.made_pictures import random_image, write_tiff
from gdq_core.errors import ImageError
from gdq_core.pictures.whole import read_rgb


def test_gray_and_deep_photos_become_8_bit_rgb(tmp_path: Path) -> None:
    gray = random_image(32, 32, 1)[..., 0]
    cv2.imwrite(str(tmp_path / "gray.png"), gray)
    cv2.imwrite(str(tmp_path / "deep.png"), gray.astype(np.uint16) * 257)
    for name in ("gray", "deep"):
        photo = read_rgb(tmp_path / f"{name}.png")
        np.testing.assert_array_equal(photo, np.stack([gray] * 3, axis=2))


@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
def test_colours_are_not_multiplied_by_alpha(tmp_path: Path, suffix: str) -> None:
    image = random_image(32, 32, 4)
    image[..., 3] |= 1
    path = tmp_path / f"a.{suffix}"
    if suffix == "tif":
        write_tiff(path, image, oiio__UnassociatedAlpha=1)
    else:
        Image.fromarray(image).save(path, lossless=True, exact=True)
    np.testing.assert_array_equal(read_rgb(path), image[..., :3])


def test_hidden_colours_are_replaced(tmp_path: Path) -> None:
    image = np.full((9, 9, 4), (0, 255, 0, 0), dtype=np.uint8)
    image[3:6, 3:6] = (200, 10, 20, 255)
    Image.fromarray(image).save(tmp_path / "a.png")
    assert (read_rgb(tmp_path / "a.png") == (200, 10, 20)).all()


def test_what_the_runtime_refuses_is_refused(tmp_path: Path) -> None:
    Image.fromarray(random_image(8, 8)).convert("CMYK").save(tmp_path / "a.jpg")
    with pytest.raises(ImageError, match="has CMYK colours"):
        read_rgb(tmp_path / "a.jpg")
