from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.made_pictures import png_bytes, random_image
from gdq_core.errors import ImageError
from gdq_core.resampling import resize_bicubic
from gdq_validate.ground_truth import list_ground_truth


def write(path: Path, height: int, width: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png_bytes(random_image(height, width)))


def test_pairs_of_a_test_set(tmp_path: Path) -> None:
    for name, height in (("b", 21), ("a", 20)):
        write(tmp_path / f"HR_x2/{name}.png", height, 31)
        write(tmp_path / f"LR_x2/{name}.png", 10, 15)
    first, second = list_ground_truth(tmp_path, 2)
    assert (first.name, second.name) == ("a", "b")
    low, high = second.load()
    np.testing.assert_array_equal(low, random_image(10, 15))
    np.testing.assert_array_equal(high, random_image(21, 31)[:20, :30])


def test_photos_are_made_smaller(tmp_path: Path) -> None:
    write(tmp_path / "photo.png", 32, 41)
    (only,) = list_ground_truth(tmp_path, 3)
    low, high = only.load()
    np.testing.assert_array_equal(high, random_image(32, 41)[:30, :39])
    np.testing.assert_array_equal(low, resize_bicubic(high, 10, 13))


def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="not a folder"):
        list_ground_truth(tmp_path / "absent", 2)
    with pytest.raises(ImageError, match="neither photos nor the subfolders HR_x2 and LR_x2"):
        list_ground_truth(tmp_path, 2)
    write(tmp_path / "HR_x2/a.png", 20, 30)
    write(tmp_path / "LR_x2/b.png", 10, 15)
    with pytest.raises(ImageError, match=r"a\.png has no partner"):
        list_ground_truth(tmp_path, 2)
    write(tmp_path / "LR_x2/a.png", 11, 15)
    (pair,) = list_ground_truth(tmp_path, 2)
    with pytest.raises(ImageError, match="do not match at x2: 15x11 and 30x20"):
        pair.load()


def test_two_pictures_of_one_name_are_both_named(tmp_path: Path) -> None:
    for folder in ("HR_x2", "LR_x2"):
        write(tmp_path / "a" / folder / "a.png", 20, 30)
        write(tmp_path / "b" / folder / "a.png", 20, 30)
    (tmp_path / "a/LR_x2/a.webp").write_bytes(b"another")
    with pytest.raises(
        ImageError, match=r"/a\.png and .*LR_x2/a\.webp differ only in their suffix"
    ):
        list_ground_truth(tmp_path / "a", 2)
    (tmp_path / "b/HR_x2/a.jpg").write_bytes(b"another")
    with pytest.raises(
        ImageError, match=r"HR_x2/a\.jpg and .*HR_x2/a\.png differ only in their suffix"
    ):
        list_ground_truth(tmp_path / "b", 2)


def test_an_empty_folder_of_truths_is_named(tmp_path: Path) -> None:
    (tmp_path / "HR_x2").mkdir()
    write(tmp_path / "LR_x2/a.png", 10, 15)
    with pytest.raises(ImageError, match="HR_x2 holds no picture"):
        list_ground_truth(tmp_path, 2)


def test_hidden_files_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "photo.png", 20, 30)
    (tmp_path / "._photo.png").write_bytes(b"\0\5\x16\7")
    assert [truth.name for truth in list_ground_truth(tmp_path, 2)] == ["photo"]
