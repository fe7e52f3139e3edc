from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.made_pictures import random_image, srgb_like_profile
from gdq_core.errors import OutputError
from gdq_core.pictures.colour.meaning import ColourMeaning
from gdq_core.pictures.decode import PictureReader
from gdq_core.pictures.encode import PictureWriter, check_target, save_picture
from peak_memory import peak_of

SUFFIXES = [".png", ".jpg", ".tif"]


def write(target: Path, image: NDArray[np.uint8], step: int = 7, **options: Any) -> list[str]:
    height, width, channels = image.shape
    with PictureWriter(target, width, height, channels, **options) as writer:
        for start in range(0, height, step):
            writer.write_rows(image[start : start + step])
        writer.close()
    return writer.notes


def read(path: Path) -> NDArray[np.uint8]:
    with PictureReader(path) as reader:
        return reader.read_rows(reader.height)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("suffix", [".png", ".PNG", ".tif", ".tiff"])
def test_lossless_formats_keep_every_sample(tmp_path: Path, suffix: str, channels: int) -> None:
    image = random_image(33, 21, channels)
    assert write(tmp_path / f"a{suffix}", image) == []
    np.testing.assert_array_equal(read(tmp_path / f"a{suffix}"), image)


@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_is_close(tmp_path: Path, channels: int) -> None:
    image = random_image(64, 64, channels)
    write(tmp_path / "a.jpeg", image)
    assert np.abs(read(tmp_path / "a.jpeg").astype(int) - image).mean() < 3


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_colour_profile_is_kept(tmp_path: Path, suffix: str) -> None:
    profile = srgb_like_profile()
    assert write(tmp_path / f"a{suffix}", random_image(9, 9), meaning=ColourMeaning(profile)) == []
    with PictureReader(tmp_path / f"a{suffix}") as reader:
        assert reader.meaning.icc_profile == profile


@pytest.mark.parametrize("profile", [b"broken", bytes(500)])
def test_a_broken_profile_is_left_out_with_a_note(tmp_path: Path, profile: bytes) -> None:
    image = random_image(9, 9)
    notes = write(tmp_path / "a.png", image, meaning=ColourMeaning(profile))
    assert notes == ["the colour profile is broken and was left out"]
    np.testing.assert_array_equal(read(tmp_path / "a.png"), image)
    assert names(tmp_path) == ["a.png"]


def test_jpeg_does_not_lose_transparency_silently(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot hold the picture's transparency; write \.png"):
        write(tmp_path / "a.jpg", random_image(9, 9, 4))


def test_a_format_that_is_too_small(tmp_path: Path) -> None:
    with pytest.raises(
        OutputError, match=r"70000x1 pixels are more than JPEG takes .* write \.tif"
    ):
        PictureWriter(tmp_path / "a.jpg", 70_000, 1, 3)
    with pytest.raises(OutputError, match="more than PNG takes"):
        PictureWriter(tmp_path / "a.png", 1, 1_000_001, 3)
    assert names(tmp_path) == []


def test_an_existing_file_is_kept_unless_told_otherwise(tmp_path: Path) -> None:
    target = tmp_path / "a.png"
    target.write_text("precious")
    with pytest.raises(OutputError, match="exists; --overwrite replaces it"):
        write(target, random_image(4, 4))
    assert target.read_text() == "precious"
    write(target, random_image(4, 4), overwrite=True)
    np.testing.assert_array_equal(read(target), random_image(4, 4))


@pytest.mark.parametrize("name", ["a.gif", "a", "a.webp", ".png"])
def test_the_suffix_must_be_known(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match=r"must end in \.png, \.jpg, \.jpeg, \.tif, \.tiff"):
        check_target(tmp_path / name, overwrite=False)


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").write_text("")
    for target, sentence in {
        tmp_path / "absent" / "a.png": "there is no folder",
        tmp_path / "folder.png": "it is a folder",
        tmp_path / "file" / "a.png": "there is no folder|cannot be written",
        tmp_path / "nul\0byte.png": "cannot be written",
        tmp_path / ("a" * 300 + ".png"): "cannot be written",
    }.items():
        with pytest.raises(OutputError, match=sentence):
            check_target(target, overwrite=True)


def test_a_long_name_is_no_problem(tmp_path: Path) -> None:
    target = tmp_path / ("a" * 251 + ".png")
    write(target, random_image(4, 4))
    assert target.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    for suffix in SUFFIXES:
        write(tmp_path / f"a{suffix}", random_image(4, 4))
        expected = stat.S_IMODE((tmp_path / "plain").stat().st_mode)
        assert stat.S_IMODE((tmp_path / f"a{suffix}").stat().st_mode) == expected


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("rows", [0, 1, 50])
def test_an_interrupted_picture_leaves_nothing(tmp_path: Path, suffix: str, rows: int) -> None:
    def interrupt() -> None:
        with PictureWriter(tmp_path / f"a{suffix}", 100, 100, 3) as writer:
            writer.write_rows(random_image(100, 100)[:rows])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert names(tmp_path) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_picture_without_its_last_rows_is_not_kept(tmp_path: Path, suffix: str) -> None:
    with PictureWriter(tmp_path / f"a{suffix}", 10, 10, 3) as writer:
        writer.write_rows(random_image(9, 10))
        with pytest.raises(OutputError, match="only 9 of 10 rows were given"):
            writer.close()
    assert names(tmp_path) == []


def test_nothing_appears_before_the_end(tmp_path: Path) -> None:
    with PictureWriter(tmp_path / "a.png", 10, 10, 3) as writer:
        writer.write_rows(random_image(10, 10))
        assert not (tmp_path / "a.png").exists()
        writer.close()
        assert names(tmp_path) == ["a.png"]


def test_save_picture(tmp_path: Path) -> None:
    image = random_image(12, 9)
    save_picture(image, tmp_path / "a.png", overwrite=False)
    np.testing.assert_array_equal(read(tmp_path / "a.png"), image)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere"
)
def test_the_errors_of_the_system_come_through(tmp_path: Path) -> None:
    (tmp_path / "readable").mkdir(mode=0o500)
    with pytest.raises(OutputError, match="Permission denied"):
        write(tmp_path / "readable" / "a.png", random_image(4, 4))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read there")
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_memory_does_not_grow_with_height(tmp_path: Path, suffix: str) -> None:
    program = """
import sys
import numpy as np
from gdq_core.pictures.encode import PictureWriter
height = int(sys.argv[2])
rows = np.random.default_rng(0).integers(0, 256, (100, 1000, 3), dtype=np.uint8)
with PictureWriter(sys.argv[1], 1000, height, 3) as writer:
    for _ in range(height // 100):
        writer.write_rows(rows)
    writer.close()
"""
    low = peak_of(program, str(tmp_path / f"low{suffix}"), "1000")
    high = peak_of(program, str(tmp_path / f"high{suffix}"), "10000")  # 30 MB of pixels
    assert high < low + 4 * 1024
