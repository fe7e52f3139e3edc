"""PNG, JPEG and WebP against Pillow, which decodes by other copies of the libraries."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from core.made_pictures import exif, jpeg_bytes, png_bytes, random_image
from core.pictures.profiles import large_profile
from gdq_core.errors import ImageError
from gdq_core.pictures.decode import PictureReader, apply_orientation

FIRST = "only the first of several pictures in the file"


def read(path: Path) -> NDArray[np.uint8]:
    with PictureReader(path) as reader:
        return reader.read_rows(reader.height)


def notes(path: Path) -> list[str]:
    with PictureReader(path) as reader:
        return reader.notes


def frames(channels: int = 3) -> list[Image.Image]:
    return [Image.fromarray(random_image(24, 32, channels, seed)) for seed in (1, 2)]


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.mpo", "a.tif"])
def test_of_several_pictures_the_first_is_taken_with_a_note(tmp_path: Path, name: str) -> None:
    first, second = frames()
    options: dict[str, Any] = {"lossless": True} if name.endswith("webp") else {}
    first.save(tmp_path / name, save_all=True, append_images=[second], **options)
    assert notes(tmp_path / name) == [FIRST]
    with Image.open(tmp_path / name) as other:
        assert getattr(other, "n_frames", 1) == 2
        expected = np.asarray(other.convert("RGB")).astype(int)
    np.testing.assert_allclose(read(tmp_path / name), expected, atol=2 if "mpo" in name else 0)


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.jpg", "a.tif", "a.bmp"])
def test_a_single_picture_has_no_note(tmp_path: Path, name: str) -> None:
    frames()[0].save(tmp_path / name)
    assert notes(tmp_path / name) == []


def test_a_gif_is_refused(tmp_path: Path) -> None:
    frames()[0].save(tmp_path / "a.gif")
    with pytest.raises(ImageError, match="is none of PNG, JPEG, TIFF, BMP, WebP"):
        PictureReader(tmp_path / "a.gif")


@pytest.mark.parametrize("transform", [0, 2])
def test_inks_in_a_jpeg_are_refused(tmp_path: Path, transform: int) -> None:
    """Adobe's marker says by 0 that they are CMYK, and by 2 that they are YCCK."""
    path = tmp_path / "a.jpg"
    frames()[0].convert("CMYK").save(path)
    content = path.read_bytes()
    place = content.index(b"Adobe") + 11
    path.write_bytes(content[:place] + bytes([transform]) + content[place + 1 :])
    with pytest.raises(ImageError, match=r"has (CMYK|YCbCrK) colours: convert it to RGB first"):
        PictureReader(path)


@pytest.mark.parametrize("keep_rgb", [False, True])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("size", [(1, 1), (3, 2), (33, 17)])
def test_jpeg_of_any_sampling(
    tmp_path: Path, size: tuple[int, int], subsampling: int, keep_rgb: bool
) -> None:
    if keep_rgb and subsampling:
        pytest.skip("RGB is not subsampled")
    image = Image.fromarray(random_image(size[1], size[0]))
    image.save(tmp_path / "a.jpg", quality=95, subsampling=subsampling, keep_rgb=keep_rgb)
    with Image.open(tmp_path / "a.jpg") as other:
        expected = np.asarray(other).astype(int)
    np.testing.assert_allclose(read(tmp_path / "a.jpg"), expected, atol=2)


@pytest.mark.parametrize("progressive", [False, True])
def test_filling_between_the_markers_of_a_jpeg_does_not_matter(
    tmp_path: Path, progressive: bool
) -> None:
    content = jpeg_bytes(random_image(32, 48), None, cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive))
    tables = content.index(b"\xff\xdb")
    (tmp_path / "a.jpg").write_bytes(content)
    (tmp_path / "b.jpg").write_bytes(content[:-2] + bytes(9) + content[-2:])
    (tmp_path / "c.jpg").write_bytes(content[:tables] + bytes(9) + content[tables:])
    for name in ("b.jpg", "c.jpg"):
        np.testing.assert_array_equal(read(tmp_path / name), read(tmp_path / "a.jpg"))


@pytest.mark.parametrize("lost", [b"\xff\xd0", b"\xff\xd1"])
def test_pixels_left_over_before_a_marker_are_damage(tmp_path: Path, lost: bytes) -> None:
    content = jpeg_bytes(random_image(32, 48), None, cv2.IMWRITE_JPEG_RST_INTERVAL, 2)
    before, marker, behind = content.partition(lost)
    assert marker == lost
    (tmp_path / "a.jpg").write_bytes(before + behind)
    with pytest.raises(ImageError, match="is damaged or truncated"):
        read(tmp_path / "a.jpg")


@pytest.mark.parametrize("suffix", ["png", "webp", "tif", "bmp", "jpg"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_single_pixel(tmp_path: Path, suffix: str, channels: int) -> None:
    if channels == 4 and suffix == "jpg":
        pytest.skip("JPEG has no alpha")
    pixel = np.array([10, 200, 60, 100], dtype=np.uint8)[:channels].reshape(1, 1, channels)
    image = Image.fromarray(pixel.squeeze(2) if channels == 1 else pixel)
    options: dict[str, Any] = {"lossless": True, "exact": True} if suffix == "webp" else {}
    image.save(tmp_path / f"a.{suffix}", **options)
    expected = pixel.repeat(3, axis=2) if (suffix, channels) == ("webp", 1) else pixel
    if (suffix, channels) == ("bmp", 4):  # Pillow writes alpha without saying so
        expected = pixel[..., :3]
    atol = 6 if suffix == "jpg" else 0
    np.testing.assert_allclose(read(tmp_path / f"a.{suffix}").astype(int), expected, atol=atol)


def test_webp_with_alpha_keeps_hidden_colours(tmp_path: Path) -> None:
    image = random_image(24, 32, 4)
    image[:12, :, 3] = 0
    Image.fromarray(image).save(tmp_path / "a.webp", lossless=True, exact=True)
    np.testing.assert_array_equal(read(tmp_path / "a.webp"), image)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_webp(tmp_path: Path, orientation: int) -> None:
    image = random_image(24, 32)
    data = b"Exif\0\0" + exif(orientation) + bytes(4)
    Image.fromarray(image).save(tmp_path / "a.webp", lossless=True, exif=data)
    np.testing.assert_array_equal(read(tmp_path / "a.webp"), apply_orientation(image, orientation))


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_png_with_a_transparent_gray(tmp_path: Path, depth: int) -> None:
    image = np.random.default_rng(0).integers(0, 2**depth, (9, 13, 1))
    image[0, :2, 0] = [0, 1]
    content = png_bytes(image, depth=depth, extra={b"tRNS": struct.pack(">H", 1)})
    (tmp_path / "a.png").write_bytes(content)
    result = read(tmp_path / "a.png")
    np.testing.assert_array_equal(result[..., 0], np.rint(image[..., 0] * 255 / (2**depth - 1)))
    np.testing.assert_array_equal(result[..., 1], np.where(image[..., 0] == 1, 0, 255))


def test_png_with_a_transparent_colour_of_16_bits(tmp_path: Path) -> None:
    """Two colours that only 16 bits tell apart: one is transparent."""
    image = np.array([[[256, 512, 768], [257, 512, 768]]])
    content = png_bytes(image, depth=16, extra={b"tRNS": struct.pack(">3H", 256, 512, 768)})
    (tmp_path / "a.png").write_bytes(content)
    assert read(tmp_path / "a.png")[0, :, 3].tolist() == [0, 255]


@pytest.mark.parametrize("size", [100_000, 4_000_000])
@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp"])
def test_large_profiles_are_read(tmp_path: Path, suffix: str, size: int) -> None:
    profile = large_profile(size)
    frames()[0].save(tmp_path / f"a.{suffix}", icc_profile=profile)
    with PictureReader(tmp_path / f"a.{suffix}") as reader:
        assert reader.meaning.icc_profile == profile
        assert reader.read_rows(24).shape == (24, 32, 3)
