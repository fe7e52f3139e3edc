from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gdq_models.degradation import crop_to_multiple, downscale

BENCHMARKS = Path(__file__).resolve().parents[3] / "shared" / "data" / "eval"
needs_benchmarks = pytest.mark.skipif(
    not BENCHMARKS.is_dir(), reason="the benchmark images are not part of the repository"
)


def cubic(x: np.ndarray) -> np.ndarray:
    """Keys' kernel with a = -0.5 (Keys 1981, eq. 4)."""
    x = np.abs(x)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0))


def reduce_rows(image: np.ndarray, scale: int) -> np.ndarray:
    """Rows only, with repeated borders and a kernel as wide as the scale; 8 bits, halves up."""
    height = len(image)
    centres = (np.arange(height // scale) + 0.5) * scale - 0.5
    offsets = np.arange(-2 * scale, 2 * scale + 1)
    index = np.floor(centres)[:, None].astype(int) + offsets
    weights = cubic((centres[:, None] - index) / scale)
    weights /= weights.sum(axis=1, keepdims=True)
    rows = image.astype(np.float64)[np.clip(index, 0, height - 1)]
    sums: np.ndarray = np.einsum("ij,ij...->i...", weights, rows)
    return np.clip(np.floor(sums + 0.5), 0, 255)


@given(
    scale=st.sampled_from([2, 3, 4]),
    rows=st.integers(1, 9),
    columns=st.integers(1, 9),
    seed=st.integers(0, 999),
)
def test_is_the_cubic_kernel_rows_first(scale: int, rows: int, columns: int, seed: int) -> None:
    shape = (rows * scale, columns * scale, 3)
    image = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    expected = reduce_rows(reduce_rows(image, scale).swapaxes(0, 1), scale).swapaxes(0, 1)
    difference = np.abs(downscale(image, scale) - expected)
    # float32 sums against float64 ones may fall on the two sides of a half.
    assert difference.max() <= 1
    assert (difference > 0).mean() <= 0.05


def test_a_flat_image_stays_flat() -> None:
    assert np.all(downscale(np.full((8, 12, 3), 77, np.uint8), 4) == 77)


def test_crops_what_does_not_fit() -> None:
    assert crop_to_multiple(np.zeros((11, 13, 3), np.uint8), 4).shape == (8, 12, 3)


def read(path: Path) -> NDArray[np.uint8]:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(picture, np.uint8)


@needs_benchmarks
@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("name", ["Set5", "Set14"])
def test_meets_every_sample_of_the_published_pairs(name: str, scale: int) -> None:
    for high_file in sorted((BENCHMARKS / name / f"HR_x{scale}").iterdir()):
        high = read(high_file)
        low_file = high_file.parents[1] / f"LR_x{scale}" / high_file.name
        low = read(low_file)
        assert np.array_equal(downscale(crop_to_multiple(high, scale), scale), low), high_file.name
