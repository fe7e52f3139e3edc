from __future__ import annotations

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from gdq_core.errors import ImageError
from gdq_core.luma import luma
from gdq_validate.similarity import seam_ratio, ssim

RNG = np.random.default_rng(0)


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


def test_seam_ratio_compares_means() -> None:
    errors = np.array([[3.0, 3.0, 1.0, 2.0]])
    seam = np.array([[True, True, False, False]])
    assert seam_ratio(errors, seam) == 2
    assert seam_ratio(errors, np.zeros((1, 4), dtype=bool)) is None
    assert seam_ratio(np.zeros((1, 4)), seam) is None
