from __future__ import annotations

import math

import numpy as np
import pytest

from gdq_runtime.errors import ImageError
from gdq_runtime.metrics import fab, luma, psnr

RNG = np.random.default_rng(0)


def test_luma_is_studio_range() -> None:
    black, white = luma(np.zeros((1, 1, 3))), luma(np.full((1, 1, 3), 255))
    np.testing.assert_allclose(black, [[16]])
    # (65.738 + 129.057 + 25.064) / 256 * 255 + 16
    np.testing.assert_allclose(white, [[235]], atol=1e-3)


def test_luma_weighs_red_green_blue_in_this_order() -> None:
    image = np.eye(3, dtype=np.uint8)[np.newaxis] * 100
    expected = 16 + 100 * np.array([[65.738, 129.057, 25.064]]) / 256
    np.testing.assert_allclose(luma(image), expected)


def test_psnr_follows_its_definition() -> None:
    first, second = RNG.integers(0, 256, (2, 20, 30, 3), dtype=np.uint8)
    total = 0.0
    for y in range(2, 18):
        for x in range(2, 28):
            red, green, blue = first[y, x].astype(float) - second[y, x].astype(float)
            total += ((65.738 * red + 129.057 * green + 25.064 * blue) / 256) ** 2
    expected = 10 * math.log10(255**2 / (total / (16 * 26)))
    assert psnr(first, second, shave=2) == pytest.approx(expected)


def test_psnr_of_a_constant_offset() -> None:
    grey = np.full((4, 4, 3), 100.0)
    offset = 219.859 / 256
    assert psnr(grey, grey + 1) == pytest.approx(20 * math.log10(255 / offset))


def test_psnr_of_equal_images_is_infinite() -> None:
    image = RNG.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    assert psnr(image, image) == math.inf


def test_psnr_refuses_what_cannot_be_compared() -> None:
    with pytest.raises(ImageError, match="cannot compare"):
        psnr(np.zeros((4, 4, 3)), np.zeros((4, 5, 3)))
    with pytest.raises(ImageError, match="nothing is left of 4x4 pixels after shaving 2"):
        psnr(np.zeros((4, 4, 3)), np.zeros((4, 4, 3)), shave=2)


def test_fab_is_the_mean_over_tiles() -> None:
    assert fab(np.array([[4, 5], [6, 8]], dtype=np.uint8)) == 5.75
    assert fab(np.full((200, 200), 8, dtype=np.uint8)) == 8.0
