from __future__ import annotations

import math

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from gdq_core.errors import ImageError
from gdq_core.metrics import (
    luma,
    psnr,
    seam_ratio,
    squared_error,
    ssim,
)

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


@pytest.mark.parametrize("noise", [1, 20, 200])
def test_ssim_is_scikit_images(noise: int) -> None:
    truth = np.cumsum(RNG.integers(0, 3, (40, 50, 3)), axis=1).astype(np.uint8)
    image = np.clip(truth + RNG.integers(-noise, noise + 1, truth.shape), 0, 255).astype(np.uint8)
    expected = structural_similarity(  # type: ignore[no-untyped-call] # scikit-image has no types here
        luma(image)[2:-2, 2:-2],
        luma(truth)[2:-2, 2:-2],
        data_range=255,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    assert ssim(image, truth, shave=2) == pytest.approx(expected, abs=1e-10)


def test_ssim_of_equal_images_is_one() -> None:
    image = RNG.integers(0, 256, (20, 20, 3), dtype=np.uint8)
    assert ssim(image, image) == pytest.approx(1)


def test_ssim_refuses_what_is_smaller_than_its_window() -> None:
    with pytest.raises(ImageError, match="11 pixels does not fit into 10x10"):
        ssim(np.zeros((12, 12, 3)), np.zeros((12, 12, 3)), shave=1)


def test_squared_error_averages_to_psnr() -> None:
    first, second = RNG.integers(0, 256, (2, 20, 30, 3), dtype=np.uint8)
    error = squared_error(first, second)
    assert error.shape == (20, 30)
    assert psnr(first, second) == pytest.approx(10 * math.log10(255**2 / error.mean()))


def test_seam_ratio_compares_means() -> None:
    errors = np.array([[3.0, 3.0, 1.0, 2.0]])
    seam = np.array([[True, True, False, False]])
    assert seam_ratio(errors, seam) == 2
    assert seam_ratio(errors, np.zeros((1, 4), dtype=bool)) is None
    assert seam_ratio(np.zeros((1, 4)), seam) is None
