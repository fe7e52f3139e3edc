from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.made_pictures import (
    exif,
    icc_chunk,
    jpeg_bytes,
    png_bytes,
    random_image,
    srgb_like_profile,
    write_tiff,
)
from gdq_core.errors import ImageError
from gdq_core.pictures.decode import PictureReader, apply_orientation
from gdq_core.pictures.limits import BOMB_FLOOR, MAX_SIDE
from peak_memory import peak_of

RNG = np.random.default_rng(0)


def read(path: Path, step: int = 7) -> NDArray[np.uint8]:
    with PictureReader(path) as reader:
        rows = [
            reader.read_rows(min(step, reader.height - start))
            for start in range(0, reader.height, step)
        ]
        image = np.concatenate(rows)
        assert image.shape == (reader.height, reader.width, reader.channels)
        return image


def save(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png(tmp_path: Path, channels: int, interlaced: bool) -> None:
    image = random_image(23, 17, channels)
    path = save(tmp_path / "a.png", png_bytes(image, interlaced=interlaced))
    np.testing.assert_array_equal(read(path), image)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_png_of_few_grays(tmp_path: Path, depth: int) -> None:
    image = RNG.integers(0, 2**depth, (9, 13, 1))
    path = save(tmp_path / "a.png", png_bytes(image, depth=depth))
    np.testing.assert_array_equal(read(path), image * 255 // (2**depth - 1))


@pytest.mark.parametrize("transparent", [False, True])
@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_png_with_a_palette(tmp_path: Path, depth: int, transparent: bool) -> None:
    palette = RNG.integers(0, 256, (2**depth, 4), dtype=np.uint8)
    indices = RNG.integers(0, 2**depth, (9, 13, 1))
    extra = {b"PLTE": palette[:, :3].tobytes()}
    if transparent:
        extra[b"tRNS"] = palette[:, 3].tobytes()
    content = png_bytes(indices, colour_type=3, depth=depth, extra=extra)
    expected = palette[indices[..., 0]][..., : 4 if transparent else 3]
    np.testing.assert_array_equal(read(save(tmp_path / "a.png", content)), expected)


def test_png_with_a_transparent_colour(tmp_path: Path) -> None:
    image = random_image(9, 13)
    key = image[4, 5]
    content = png_bytes(image, extra={b"tRNS": struct.pack(">3H", *key)})
    expected = np.dstack([image, np.where((image == key).all(axis=2), 0, 255)])
    np.testing.assert_array_equal(read(save(tmp_path / "a.png", content)), expected)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_16_bits_are_rounded(tmp_path: Path, channels: int) -> None:
    image = RNG.integers(0, 65536, (64, 64, channels), dtype=np.uint16)
    path = save(tmp_path / "a.png", png_bytes(image, depth=16))
    np.testing.assert_array_equal(read(path), np.rint(image / 257))
    with PictureReader(path) as reader:
        assert reader.notes == ["16 bits per sample rounded to 8"]


@pytest.mark.parametrize("options", [(), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)])
@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg(tmp_path: Path, channels: int, options: tuple[int, ...]) -> None:
    content = jpeg_bytes(random_image(33, 41, channels), None, *options)
    path = save(tmp_path / "a.jpg", content)
    flag = cv2.IMREAD_COLOR if channels == 3 else cv2.IMREAD_GRAYSCALE
    decoded = cv2.imdecode(np.frombuffer(content, dtype=np.uint8), flag)
    assert decoded is not None
    expected = np.atleast_3d(decoded)[..., ::-1]
    # Both decode by libjpeg-turbo, perhaps of different versions.
    np.testing.assert_allclose(read(path).astype(int), expected, atol=2)


@pytest.mark.parametrize("compression", ["none", "lzw", "zip", "packbits"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_tiff(tmp_path: Path, channels: int, compression: str) -> None:
    image = random_image(33, 41, channels)
    path = write_tiff(tmp_path / "a.tif", image, compression=compression, oiio__UnassociatedAlpha=1)
    np.testing.assert_array_equal(read(path), image)


@pytest.mark.parametrize("step", [7, 32, 50, 130])
def test_tiff_in_tiles(tmp_path: Path, step: int) -> None:
    image = random_image(130, 100)
    path = write_tiff(tmp_path / "a.tif", image, tile=32)
    np.testing.assert_array_equal(read(path, step), image)


@pytest.mark.parametrize("suffix", [".bmp", ".webp"])
def test_other_formats(tmp_path: Path, suffix: str) -> None:
    image = random_image(33, 41)
    lossless = [cv2.IMWRITE_WEBP_QUALITY, 101] if suffix == ".webp" else []
    assert cv2.imwrite(str(tmp_path / f"a{suffix}"), image[..., ::-1], lossless)
    np.testing.assert_array_equal(read(tmp_path / f"a{suffix}"), image)


@pytest.mark.parametrize(
    "name", ["no suffix", "a.jpg", "a?b=c.png", "a#.png", "a%04d.png", "ä.png"]
)
def test_the_name_does_not_matter(tmp_path: Path, name: str) -> None:
    image = random_image(5, 5)
    np.testing.assert_array_equal(read(save(tmp_path / name, png_bytes(image))), image)


def orient(image: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """EXIF 2.32, tag 0x0112: where row 0 and column 0 of the stored picture are to be seen."""
    height, width = image.shape[:2]
    swapped = orientation >= 5
    turned = np.empty((width, height, 3) if swapped else image.shape, dtype=np.uint8)
    for y in range(height):
        for x in range(width):
            bottom, right = height - 1 - y, width - 1 - x
            place = {
                1: (y, x),  # top, left
                2: (y, right),  # top, right
                3: (bottom, right),  # bottom, right
                4: (bottom, x),  # bottom, left
                5: (x, y),  # left, top
                6: (x, bottom),  # right, top
                7: (right, bottom),  # right, bottom
                8: (right, y),  # left, bottom
            }[orientation]
            turned[place] = image[y, x]
    return turned


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(tmp_path: Path, orientation: int) -> None:
    image = random_image(9, 13)
    expected = orient(image, orientation)
    np.testing.assert_array_equal(apply_orientation(image, orientation), expected)
    png = save(tmp_path / "a.png", png_bytes(image, extra={b"eXIf": exif(orientation)}))
    np.testing.assert_array_equal(read(png), expected)
    with PictureReader(png) as reader:
        assert ("turned upright" in " ".join(reader.notes)) == (orientation != 1)


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_orientation_of_jpeg_and_tiff(tmp_path: Path, orientation: int) -> None:
    image = random_image(16, 24)
    plain = read(save(tmp_path / "plain.jpg", jpeg_bytes(image)))
    turned = read(save(tmp_path / "turned.jpg", jpeg_bytes(image, orientation)))
    np.testing.assert_array_equal(turned, apply_orientation(plain, orientation))
    tiff = write_tiff(tmp_path / "a.tif", image, Orientation=orientation)
    np.testing.assert_array_equal(read(tiff), orient(image, orientation))


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_unknown_orientation_is_upright(tmp_path: Path, orientation: int) -> None:
    image = random_image(5, 7)
    path = save(tmp_path / "a.png", png_bytes(image, extra={b"eXIf": exif(orientation)}))
    np.testing.assert_array_equal(read(path), image)


def test_the_colour_profile_is_passed_on(tmp_path: Path) -> None:
    profile = srgb_like_profile()
    path = save(tmp_path / "a.png", png_bytes(random_image(5, 5), extra=icc_chunk(profile)))
    with PictureReader(path) as reader:
        assert reader.meaning.icc_profile == profile
    with PictureReader(save(tmp_path / "b.png", png_bytes(random_image(5, 5)))) as reader:
        assert reader.meaning.icc_profile is None


def test_of_several_pictures_the_first_is_read(tmp_path: Path) -> None:
    first, second = random_image(9, 9, seed=1), random_image(9, 9, seed=2)
    _, encoded = cv2.imencodemulti(".tiff", [first[..., ::-1], second[..., ::-1]])
    path = save(tmp_path / "a.tif", encoded.tobytes())
    np.testing.assert_array_equal(read(path), first)
    with PictureReader(path) as reader:
        assert reader.notes == ["only the first of several pictures in the file"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is not a picture: it is empty"),
        (b"a text", "is none of PNG, JPEG, TIFF, BMP, WebP"),
        (b"RIFF\0\0\0\0WAVE", "is none of PNG, JPEG, TIFF, BMP, WebP"),
        (b"\x89PNG\r\n\x1a\n", "is truncated: its end is missing"),
        (b"\xff\xd8\xff but no JPEG", "cannot be read|is damaged"),
        (b"II*\0 but no TIFF", "cannot be read|is damaged"),
        (b"BM but no bitmap", "cannot be read|is damaged"),
    ],
)
def test_what_is_no_picture(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(ImageError, match=sentence):
        PictureReader(save(tmp_path / "a.png", content))


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="is a folder, not a picture"):
        PictureReader(tmp_path)
    with pytest.raises(ImageError, match="is not a file"):
        PictureReader(tmp_path / "absent.png")
    with pytest.raises(ImageError):
        PictureReader("nul\0byte.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(ImageError, match="is not a file"):
        PictureReader(tmp_path / "a.png")


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes only on Linux")
def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png"))
    with pytest.raises(ImageError, match="its name is not valid UTF-8"):
        PictureReader(save(path, png_bytes(random_image(4, 4))))


def files_of_all_formats() -> dict[str, bytes]:
    image = random_image(64, 64)
    bgr = np.ascontiguousarray(image[..., ::-1])
    return {
        "png": png_bytes(image),
        "interlaced png": png_bytes(image, interlaced=True),
        "jpeg": jpeg_bytes(image),
        "progressive jpeg": jpeg_bytes(image, None, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        "tiff": cv2.imencode(".tiff", bgr)[1].tobytes(),
        "bmp": cv2.imencode(".bmp", bgr)[1].tobytes(),
        "webp": cv2.imencode(".webp", bgr)[1].tobytes(),
    }


FILES = files_of_all_formats()


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_truncated_file_is_an_error_and_no_gray_area(
    tmp_path: Path, kind: str, share: float
) -> None:
    content = FILES[kind]
    path = save(tmp_path / "a", content[: int(len(content) * share)])
    with pytest.raises(ImageError, match=r"truncated|damaged|cannot be read"):
        read(path)


def test_a_wrong_checksum_is_an_error(tmp_path: Path) -> None:
    content = bytearray(FILES["png"])
    content[-20] ^= 1
    with pytest.raises(ImageError, match="is damaged or truncated"):
        read(save(tmp_path / "a.png", bytes(content)))


def test_jpeg_with_harmless_extra_bytes_is_read(tmp_path: Path) -> None:
    content = FILES["jpeg"]
    path = save(tmp_path / "a.jpg", content[:-2] + b"\0\0\0" + content[-2:])
    np.testing.assert_array_equal(read(path), read(save(tmp_path / "b.jpg", content)))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "uint32"])
def test_other_samples_are_refused(tmp_path: Path, dtype: str) -> None:
    path = write_tiff(tmp_path / "a.tif", np.zeros((4, 4, 3), dtype=dtype))
    with pytest.raises(ImageError, match="pictures of 8 or 16 bits are accepted"):
        PictureReader(path)


def test_other_colours_are_refused(tmp_path: Path) -> None:
    cmyk = write_tiff(tmp_path / "a.tif", random_image(9, 9, 4), tiff__ColorSpace="CMYK")
    with pytest.raises(ImageError, match=r"has .+ colours: convert it to RGB first"):
        PictureReader(cmyk)
    five = write_tiff(tmp_path / "b.tif", random_image(9, 9, 5))
    with pytest.raises(ImageError, match="has 5 channels"):
        PictureReader(five)


def test_premultiplied_alpha_is_refused(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", random_image(9, 9, 4))
    with pytest.raises(ImageError, match="transparency multiplied into its colours"):
        PictureReader(path)


@pytest.mark.parametrize("size", [(900_000, 900_000), (60_000, 60_000), (20_000, 20_000), (0, 5)])
@pytest.mark.parametrize("padding", [0, 500_000])
def test_absurd_sizes_are_refused_unseen(
    tmp_path: Path, size: tuple[int, int], padding: int
) -> None:
    extra = {b"tEXt": b"a" * padding}
    path = save(tmp_path / "a.png", png_bytes(random_image(4, 4), size=size, extra=extra))
    with pytest.raises(ImageError, match=r"claims|cannot be read"):
        PictureReader(path)


def test_a_decompression_bomb_is_called_by_its_name(tmp_path: Path) -> None:
    extra = {b"tEXt": b"a" * 1_900_000}
    content = png_bytes(random_image(4, 4), size=(20_000, 20_000), extra=extra)
    with pytest.raises(ImageError, match=r"claims 20000x20000 pixels in only \d+ bytes, like a"):
        PictureReader(save(tmp_path / "a.png", content))


def test_extreme_sides_are_refused(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tif", np.zeros((1, MAX_SIDE + 1, 1), dtype=np.uint8))
    with pytest.raises(ImageError, match="1048576"):
        PictureReader(path)


def test_a_large_flat_picture_below_the_floor_is_no_bomb(tmp_path: Path) -> None:
    side = int(BOMB_FLOOR**0.5)
    path = save(tmp_path / "a.png", png_bytes(random_image(4, 4), size=(side, side)))
    with PictureReader(path) as reader:
        assert reader.width == side


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_are_sentences(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(FILES[data.draw(st.sampled_from(sorted(FILES)))])
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content) - 1))
        patch = data.draw(st.binary(min_size=1, max_size=8))
        content[start : start + len(patch)] = patch
    check_reads_or_refuses(save(tmp_path / "fuzz", bytes(content)))


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    head=st.sampled_from(
        [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"BM", b"RIFF\0\0\0\0WEBP", b""]
    ),
    body=st.binary(max_size=300),
)
def test_any_bytes_are_sentences(tmp_path: Path, head: bytes, body: bytes) -> None:
    check_reads_or_refuses(save(tmp_path / "fuzz", head + body))


def check_reads_or_refuses(path: Path) -> None:
    sentence = ""
    try:
        with PictureReader(path) as reader:
            if reader.width * reader.height < 1 << 20:
                reader.read_rows(reader.height)
    except ImageError as error:
        sentence = str(error)
    assert "\n" not in sentence


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read there")
@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
def test_memory_does_not_grow_with_height(tmp_path: Path, suffix: str) -> None:
    def peak(height: int) -> int:
        image = random_image(200, 1000).repeat(height // 200, axis=0)
        path = tmp_path / f"{height}.{suffix}"
        if suffix == "tif":
            write_tiff(path, image, compression="lzw")
        else:
            save(path, png_bytes(image) if suffix == "png" else jpeg_bytes(image))
        return peak_of(READ_IN_BANDS, str(path))

    low, high = peak(1000), peak(10_000)  # 3 and 30 MB of pixels
    assert high < low + 4 * 1024


READ_IN_BANDS = """
import sys
from gdq_core.pictures.decode import PictureReader
with PictureReader(sys.argv[1]) as reader:
    for _ in range(reader.height // 100):
        reader.read_rows(100)
"""
