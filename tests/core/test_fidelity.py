from __future__ import annotations

import math

import numpy as np
import pytest

from gdq_core.errors import ImageError
from gdq_core.fidelity import psnr, squared_error

RNG = np.random.default_rng(0)


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


def test_squared_error_averages_to_psnr() -> None:
    first, second = RNG.integers(0, 256, (2, 20, 30, 3), dtype=np.uint8)
    error = squared_error(first, second)
    assert error.shape == (20, 30)
    assert psnr(first, second) == pytest.approx(10 * math.log10(255**2 / error.mean()))
