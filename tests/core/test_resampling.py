from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from gdq_core.fidelity import psnr
from gdq_core.resampling import crop_to_multiple, make_smaller, resize_bicubic

EVAL = Path(__file__).resolve().parents[2].parent / "shared/data/eval"


def read(path: Path) -> NDArray[np.uint8]:
    image = cv2.imread(str(path))
    assert image is not None
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def keys(x: float) -> float:
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x <= 2 else 0.0


@pytest.mark.parametrize(("length", "target"), [(12, 6), (12, 24), (13, 4), (5, 15), (2, 8)])
def test_one_axis_follows_the_formula(length: int, target: int) -> None:
    line = np.random.default_rng(length).integers(0, 256, length)
    factor = target / length
    stretch = max(1, length / target)
    expected = []
    for place in range(target):
        centre = (place + 0.5) / factor - 0.5
        weights = [keys((centre - i) / stretch) for i in range(-40, length + 40)]
        values = [line[min(max(i, 0), length - 1)] for i in range(-40, length + 40)]
        expected.append(np.dot(weights, values) / sum(weights))
    image = np.repeat(line[np.newaxis, :, np.newaxis], 3, axis=2).astype(np.uint8)
    result = resize_bicubic(image, 1, target)[0, :, 0]
    np.testing.assert_allclose(result, np.clip(expected, 0, 255), atol=0.5 + 1e-9)


def test_rows_come_first_and_are_rounded() -> None:
    image = np.random.default_rng(0).integers(0, 256, (10, 14, 3), dtype=np.uint8)
    by_rows = resize_bicubic(resize_bicubic(image, 5, 14), 5, 7)
    np.testing.assert_array_equal(resize_bicubic(image, 5, 7), by_rows)


def test_a_flat_image_stays_flat() -> None:
    for size in ((4, 6), (16, 24), (5, 31)):
        assert (resize_bicubic(np.full((8, 12, 3), 77, np.uint8), *size) == 77).all()


def test_crops_what_does_not_fit() -> None:
    image = np.random.default_rng(0).integers(0, 256, (11, 13, 3), dtype=np.uint8)
    np.testing.assert_array_equal(crop_to_multiple(image, 4), image[:8, :12])
    assert make_smaller(crop_to_multiple(image, 4), 4).shape == (2, 3, 3)


@pytest.mark.skipif(not EVAL.is_dir(), reason="the evaluation pairs are not here")
@pytest.mark.parametrize("name", ["Set5", "Set14"])
@pytest.mark.parametrize("scale", [2, 4])
def test_meets_every_sample_of_the_published_pairs(name: str, scale: int) -> None:
    for path in sorted((EVAL / f"{name}/HR_x{scale}").iterdir()):
        low = read(EVAL / f"{name}/LR_x{scale}" / path.name)
        made = make_smaller(crop_to_multiple(read(path), scale), scale)
        np.testing.assert_array_equal(made, low)


@pytest.mark.skipif(not EVAL.is_dir(), reason="the evaluation pairs are not here")
@pytest.mark.parametrize(("scale", "published"), [(2, 33.66), (4, 28.42)])
def test_bicubic_of_set5_has_its_published_psnr(scale: int, published: float) -> None:
    """The row "Bicubic" of every super-resolution paper, e.g. Lim et al. 2017, table 3."""
    values = []
    for path in sorted((EVAL / f"Set5/HR_x{scale}").iterdir()):
        truth, low = read(path), read(EVAL / f"Set5/LR_x{scale}" / path.name)
        upscaled = resize_bicubic(low, low.shape[0] * scale, low.shape[1] * scale)
        values.append(psnr(upscaled, truth, scale))
    assert np.mean(values) == pytest.approx(published, abs=0.03)
