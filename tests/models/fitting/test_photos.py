from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gdq_core.errors import ImageError
from gdq_core.resampling import make_smaller
from gdq_models.fitting.photos import PhotoError, load_tiles


def write(path: Path, photo: np.ndarray) -> np.ndarray:
    cv2.imwrite(str(path), photo[:, :, ::-1])
    return photo


def random_photo(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_a_photo_of_one_tile_is_that_tile(tmp_path: Path) -> None:
    photo = write(tmp_path / "a.png", random_photo(48, 48))
    tiles = load_tiles(tmp_path, tile=16, scale=3, count=5)
    np.testing.assert_array_equal(tiles.high[0].permute(1, 2, 0).numpy(), photo)
    np.testing.assert_array_equal(tiles.low[0].permute(1, 2, 0).numpy(), make_smaller(photo, 3))
    assert (tiles.photos, tiles.source) == (1, tmp_path.name)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(height=st.integers(32, 150), width=st.integers(32, 150))
def test_tiles_cover_the_photo_and_lie_over_their_ground_truth(
    tmp_path: Path, height: int, width: int
) -> None:
    # Each pixel tells where it is, and does so after the reduction, too.
    y, x = np.mgrid[:height, :width]
    write(tmp_path / "a.png", np.stack([x, y, 0 * x], axis=2).astype(np.uint8))
    tiles = load_tiles(tmp_path, tile=16, scale=2, count=1000)
    rows, columns = (-(-(side // 2) // 16) for side in (height, width))
    assert len(tiles.low) == rows * columns
    covered = np.zeros((height // 2 * 2, width // 2 * 2), bool)
    for low, high in zip(tiles.low.numpy(), tiles.high.numpy(), strict=True):
        covered[high[1].ravel(), high[0].ravel()] = True
        centres = high[:2, ::2, ::2].astype(float) + 0.5
        inside = np.s_[:, 2:-2, 2:-2]
        assert np.abs(low[:2].astype(float) - centres)[inside].max() <= 0.5
    assert covered.all()


def test_many_photos_are_thinned_out_and_share_the_tiles(tmp_path: Path) -> None:
    for number in range(10):
        write(tmp_path / f"{number}.png", random_photo(128, 128, number))
    tiles = load_tiles(tmp_path, tile=16, scale=2, count=24)
    np.testing.assert_array_equal(np.bincount(tiles.photo), np.full(10, 2))
    assert load_tiles(tmp_path, tile=16, scale=2, count=4).photos == 4


def test_photos_that_are_too_small_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "a.png", random_photo(31, 200))
    write(tmp_path / "b.png", random_photo(32, 32))
    tiles = load_tiles(tmp_path, tile=16, scale=2, count=9)
    np.testing.assert_array_equal(tiles.photo, [1])
    with pytest.raises(PhotoError, match="no photo is at least 64 pixels high and wide"):
        load_tiles(tmp_path, tile=32, scale=2, count=9)


def test_the_samples_need_no_folder() -> None:
    tiles = load_tiles(None, tile=96, scale=2, count=8)
    assert (len(tiles.low), tiles.photos, tiles.source) == (8, 4, "scikit-image samples")


@pytest.mark.parametrize(
    "content", [b"", b"not a photo", b"\x89PNG\r\n\x1a\n" + bytes(40)], ids=["empty", "text", "png"]
)
def test_a_damaged_photo_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(ImageError, match=r"a\.png is (not a picture|damaged|truncated)"):
        load_tiles(tmp_path, tile=16, scale=2, count=9)


def test_a_folder_without_photos_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(ImageError, match="holds no picture"):
        load_tiles(tmp_path, tile=16, scale=2, count=9)
    with pytest.raises(ImageError, match="is not a folder"):
        load_tiles(tmp_path / "absent", tile=16, scale=2, count=9)
