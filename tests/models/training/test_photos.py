from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from fingerprint import fingerprint
from gdq_core.errors import ImageError, OutputError
from gdq_core.resampling import make_smaller
from gdq_models.training.errors import TrainingError
from gdq_models.training.photo_index import DIV2K_FOLDER, find_photos
from gdq_models.training.photos import PhotoCache, open_cache


class Counter:
    """Counts the photos that were decoded."""

    def __init__(self) -> None:
        self.done = 0

    def __call__(self, done: int, of_all: int) -> None:
        self.done = done


def open_small(source: Path, folder: Path, smallest: int = 16) -> tuple[PhotoCache, int]:
    counter = Counter()
    cache = open_cache(source, folder, scale=2, smallest=smallest, progress=counter)
    return cache, counter.done


def test_holds_every_photo_and_its_reduction(cache: PhotoCache, photo_folder: Path) -> None:
    assert [photo.name for photo in cache.photos] == ["0.png", "1.png", "2.png"]
    for photo in cache.photos:
        picture = cv2.imread(str(photo_folder / photo.name))
        assert picture is not None
        decoded = np.asarray(picture[:, :, ::-1], np.uint8)
        expected = decoded[: photo.height * 2, : photo.width * 2]
        assert expected.shape[0] >= decoded.shape[0] - 1
        np.testing.assert_array_equal(cache.high(photo), expected)
        np.testing.assert_array_equal(cache.low(photo), make_smaller(expected, 2))


def test_is_built_once_and_again_when_photos_change(photo_folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(photo_folder, source)
    folder = tmp_path / "cache"
    assert open_small(source, folder)[1] == 3
    assert open_small(source, folder)[1] == 0
    (source / "0.png").unlink()
    cache, decoded = open_small(source, folder)
    assert (decoded, len(cache.photos)) == (2, 2)


def test_only_a_cache_is_replaced(photo_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    open_small(photo_folder, folder)
    whole = (folder / "index.json").read_text()
    for name, content in {"notes.txt": "dear", "index.json": "{}"}.items():
        (folder / name).write_text(content)
        before = fingerprint(folder)
        with pytest.raises(OutputError, match="is not a photo cache of ours and is kept"):
            open_small(photo_folder, folder, smallest=20)
        assert fingerprint(folder) == before
        (folder / "notes.txt").unlink(missing_ok=True)
    (folder / "index.json").write_text(whole)
    assert open_small(photo_folder, folder, smallest=20)[1] == 3
    assert fingerprint(folder).keys() == {"index.json", "low.bin", "high.bin"}


def test_leaves_small_photos_out(photo_folder: Path, tmp_path: Path) -> None:
    cache, _ = open_small(photo_folder, tmp_path / "cache", smallest=50)
    assert [photo.name for photo in cache.photos] == ["2.png"]


def test_refuses_when_all_photos_are_small(photo_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="at least 4000 pixels"):
        open_small(photo_folder, tmp_path / "cache", smallest=2000)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"no photo", b"\x89PNG\r\n\x1a\n" + bytes(40)])
def test_names_a_damaged_photo_and_leaves_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "bad.png").write_bytes(content)
    with pytest.raises(ImageError, match=r"bad\.png is (not a picture|damaged|truncated)"):
        open_small(tmp_path / "photos", tmp_path / "cache")
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_refuses_what_is_no_folder_or_empty(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="not a folder"):
        find_photos(tmp_path / "absent")
    with pytest.raises(ImageError, match="holds no picture"):
        find_photos(tmp_path)


def test_of_div2k_only_the_training_photos(tmp_path: Path) -> None:
    for name in (DIV2K_FOLDER, "DIV2K_train_LR_bicubic/X2", "DIV2K_valid_HR"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "0001.png").touch()
    assert find_photos(tmp_path) == [tmp_path / DIV2K_FOLDER / "0001.png"]


def test_an_unwritable_cache_is_one_sentence(photo_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        open_small(photo_folder, tmp_path / "file" / "cache")
