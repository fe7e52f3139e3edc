from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from core.made_pictures import random_image
from gdq_core.errors import ImageError
from gdq_core.pictures.decode import PictureReader

Pixels = NDArray[np.uint8]

RGB, RLE8, RLE4, MASKS, MASKS_WITH_ALPHA = 0, 1, 2, 3, 6


def read(path: Path, step: int = 3) -> Pixels:
    with PictureReader(path) as reader:
        heights = [min(step, reader.height - y) for y in range(0, reader.height, step)]
        return np.concatenate([reader.read_rows(height) for height in heights])


def bitmap(
    pixels: bytes,
    width: int,
    height: int,
    depth: int,
    *,
    header: int = 40,
    compression: int = RGB,
    masks: tuple[int, ...] = (),
    palette: bytes = b"",
    used: int = 0,
    tail: bytes = b"",
) -> bytes:
    """A bitmap file; ``tail`` are the bytes of the header after its masks."""
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, depth)
    else:
        info = struct.pack(
            "<IiiHHIIiiII", header, width, height, 1, depth, compression, len(pixels), 0, 0, used, 0
        )
        info += struct.pack(f"<{len(masks)}I", *masks) + tail
        if header > 40:
            info = info.ljust(header, b"\0")[:header]
    start = 14 + len(info) + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + info + palette + pixels


def packed(values: NDArray[np.unsignedinteger], depth: int) -> bytes:
    """Rows of pixel values from the bottom up, each filled to four bytes."""
    data = values[::-1].astype("<u4").view(np.uint8).reshape(*values.shape, 4)
    rows = data[..., : depth // 8].reshape(len(values), -1)
    return np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4))).tobytes()


def save(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "a.bmp"
    path.write_bytes(content)
    return path


IMAGE = random_image(7, 5)


def bgrx(image: Pixels, fourth: int = 0) -> bytes:
    red, green, blue = np.moveaxis(image.astype(np.uint32), 2, 0)
    return packed(blue | green << 8 | red << 16 | np.uint32(fourth << 24), 32)


@pytest.mark.parametrize("fourth", [0, 7, 255])
@pytest.mark.parametrize("header", [12, 40, 52, 56, 64, 108, 124])
def test_32_bits_without_an_alpha_mask_are_opaque(tmp_path: Path, header: int, fourth: int) -> None:
    content = bitmap(bgrx(IMAGE, fourth), 5, 7, 32, header=header)
    result = read(save(tmp_path, content))
    np.testing.assert_array_equal(result, IMAGE)
    with Image.open(io.BytesIO(content)) as other:
        np.testing.assert_array_equal(np.asarray(other.convert("RGB")), IMAGE)


@pytest.mark.parametrize("header", [40, 52, 56, 108, 124])
def test_masks_without_alpha_are_opaque(tmp_path: Path, header: int) -> None:
    masks = (0xFF0000, 0xFF00, 0xFF, 0)[: 3 if header < 56 else 4]
    content = bitmap(bgrx(IMAGE), 5, 7, 32, header=header, compression=MASKS, masks=masks)
    np.testing.assert_array_equal(read(save(tmp_path, content)), IMAGE)


@pytest.mark.parametrize(("header", "code"), [(56, MASKS), (108, MASKS), (124, MASKS), (40, 6)])
def test_an_alpha_mask_is_alpha(tmp_path: Path, header: int, code: int) -> None:
    image = random_image(7, 5, 4)
    red, green, blue, alpha = np.moveaxis(image.astype(np.uint32), 2, 0)
    pixels = packed(red | green << 8 | blue << 16 | alpha << 24, 32)
    masks = (0xFF, 0xFF00, 0xFF0000, 0xFF000000)
    content = bitmap(pixels, 5, 7, 32, header=header, compression=code, masks=masks)
    np.testing.assert_array_equal(read(save(tmp_path, content)), image)


LAYOUTS = {
    "5-5-5": (16, (0x7C00, 0x3E0, 0x1F)),
    "5-6-5": (16, (0xF800, 0x7E0, 0x1F)),
    "5-6-5 swapped": (16, (0x1F, 0x7E0, 0xF800)),
    "4-4-4-4": (16, (0xF00, 0xF0, 0xF, 0xF000)),
    "1-5-5-5": (16, (0x7C00, 0x3E0, 0x1F, 0x8000)),
    "8-8-8 swapped": (32, (0xFF, 0xFF00, 0xFF0000)),
    "8-8-8 high": (32, (0xFF000000, 0xFF0000, 0xFF00)),
    "10-10-10-2": (32, (0x3FF00000, 0xFFC00, 0x3FF, 0xC0000000)),
    "11-11-10": (32, (0xFFE00000, 0x1FFC00, 0x3FF)),
    "no green": (32, (0xFF0000, 0, 0xFF)),
    "1-2-3": (16, (0x8000, 0x6000, 0x1C00)),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_masks_are_honoured(tmp_path: Path, name: str) -> None:
    depth, masks = LAYOUTS[name]
    values = np.random.default_rng(0).integers(0, 1 << depth, (9, 11), dtype=np.uint32)
    content = bitmap(packed(values, depth), 11, 9, depth, header=56, compression=MASKS, masks=masks)
    expected = np.zeros((9, 11, len(masks)))
    for channel, mask in enumerate(masks):
        if mask:
            shift = (mask & -mask).bit_length() - 1
            expected[..., channel] = ((values & mask) >> shift) * 255 / (mask >> shift)
    np.testing.assert_allclose(read(save(tmp_path, content)), expected, atol=0.51)


def test_16_bits_without_masks_are_5_5_5(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 1 << 15, (9, 11), dtype=np.uint32)
    content = bitmap(packed(values, 16), 11, 9, 16)
    with Image.open(io.BytesIO(content)) as other:
        ours = read(save(tmp_path, content)).astype(int)
        np.testing.assert_allclose(ours, np.asarray(other), atol=1)  # Pillow rounds down


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_what_pillow_writes(tmp_path: Path, mode: str) -> None:
    image = Image.fromarray(random_image(21, 13, 4)).convert(mode)
    image.save(tmp_path / "a.bmp")
    with Image.open(tmp_path / "a.bmp") as other:
        expected = np.asarray(other.convert("L" if mode in ("1", "L") else other.mode))
        if mode == "P":
            expected = np.asarray(other.convert("RGB"))
    result = read(tmp_path / "a.bmp")
    np.testing.assert_array_equal(result.squeeze(), expected)


@pytest.mark.parametrize("header", [12, 40, 64, 108, 124])
@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_palettes(tmp_path: Path, depth: int, header: int) -> None:
    colours = np.random.default_rng(depth).integers(0, 256, (1 << depth, 3), dtype=np.uint8)
    indices = np.random.default_rng(0).integers(0, 1 << depth, (6, 11), dtype=np.uint8)
    bits = (indices[::-1, :, np.newaxis] >> np.arange(depth)[::-1]) & 1
    rows = np.packbits(bits.reshape(6, -1).astype(np.uint8), axis=1)
    rows = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4)))
    entries = colours[:, ::-1] if header == 12 else np.insert(colours[:, ::-1], 3, 0, axis=1)
    content = bitmap(rows.tobytes(), 11, 6, depth, header=header, palette=entries.tobytes())
    np.testing.assert_array_equal(read(save(tmp_path, content)), colours[indices])


def test_a_short_palette_is_black_beyond_its_end(tmp_path: Path) -> None:
    content = bitmap(bytes([0, 1, 2, 3]), 4, 1, 8, palette=bytes([1, 2, 3, 0, 4, 5, 6, 0]), used=2)
    expected = [[[3, 2, 1], [6, 5, 4], [0, 0, 0], [0, 0, 0]]]
    np.testing.assert_array_equal(read(save(tmp_path, content)), expected)


def test_a_negative_height_is_top_down(tmp_path: Path) -> None:
    content = bitmap(bgrx(IMAGE[::-1]), 5, -7, 32)
    np.testing.assert_array_equal(read(save(tmp_path, content)), IMAGE)


GRAYS = np.insert(np.arange(256, dtype=np.uint8)[:, np.newaxis].repeat(3, axis=1), 3, 0, axis=1)


def run_lengths(rows: Pixels, *, last_line: bytes, end: bytes) -> bytes:
    """RLE8 of runs and, where three or more samples differ, literals."""
    lines = []
    for row in rows[::-1].tolist():
        line, place = b"", 0
        while place < len(row):
            run = 1
            while place + run < len(row) and run < 255 and row[place + run] == row[place]:
                run += 1
            if run == 1 and len(row) - place >= 3:
                count = min(len(row) - place, 5)
                literal = bytes(row[place : place + count])
                line += bytes([0, count]) + literal + bytes(count % 2)
                place += count
            else:
                line += bytes([run, row[place]])
                place += run
        lines.append(line)
    return b"\0\0".join(lines) + last_line + end


@pytest.mark.parametrize("end", [b"", b"\0\1"])
@pytest.mark.parametrize("last_line", [b"", b"\0\0"])
def test_rle8_may_or_may_not_end_its_last_line(
    tmp_path: Path, last_line: bytes, end: bytes
) -> None:
    rows = np.random.default_rng(0).integers(0, 4, (9, 300), dtype=np.uint8).repeat(2, axis=1)
    data = run_lengths(rows, last_line=last_line, end=end)
    content = bitmap(data, 600, 9, 8, compression=RLE8, palette=GRAYS.tobytes())
    np.testing.assert_array_equal(read(save(tmp_path, content))[..., 0], rows)


def test_rle8_by_hand(tmp_path: Path) -> None:
    """A run, a literal of odd length, a jump, and an end of line in the middle."""
    data = b"\3\7" + b"\0\3\1\2\3\0" + b"\0\0" + b"\0\2\2\1" + b"\4\x09" + b"\0\0\1\5" * 2 + b"\0\1"
    content = bitmap(data, 8, 5, 8, compression=RLE8, palette=GRAYS.tobytes())
    expected = np.zeros((5, 8))
    expected[4, :6] = 7, 7, 7, 1, 2, 3
    expected[2, 2:6] = 9
    expected[:2, 0] = 5
    np.testing.assert_array_equal(read(save(tmp_path, content))[..., 0], expected)


def test_rle4_by_hand(tmp_path: Path) -> None:
    data = b"\5\x12" + b"\0\3\x34\x50" + b"\0\0" + b"\x09\x60" + b"\0\1"
    palette = GRAYS[:256:17].tobytes()
    content = bitmap(data, 9, 2, 4, compression=RLE4, palette=palette)
    expected = np.array([[6, 0, 6, 0, 6, 0, 6, 0, 6], [1, 2, 1, 2, 1, 3, 4, 5, 0]]) * 17
    np.testing.assert_array_equal(read(save(tmp_path, content))[..., 0], expected)


@pytest.mark.parametrize("data", [b"", b"\5\1", b"\5\1\0\0", b"\5\1\0\0\0\3\1", b"\0\2\1"])
def test_runs_that_end_too_early(tmp_path: Path, data: bytes) -> None:
    content = bitmap(data, 5, 3, 8, compression=RLE8, palette=GRAYS.tobytes())
    with pytest.raises(ImageError, match="is damaged or truncated"):
        read(save(tmp_path, content))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (bitmap(b"", 5, 7, 32), "140 bytes are missing"),
        (bitmap(bgrx(IMAGE), 0, 7, 32), "claims 0x7 pixels"),
        (bitmap(bgrx(IMAGE), -5, 7, 32), "claims -5x7 pixels"),
        (bitmap(bgrx(IMAGE), 5, 7, 13), "do not have 13 bits per pixel"),
        (bitmap(bgrx(IMAGE), 5, 7, 0, compression=4), "with JPEG inside"),
        (bitmap(bgrx(IMAGE), 5, 7, 0, compression=5), "with PNG inside"),
        (bitmap(bgrx(IMAGE), 5, 7, 1, header=64, compression=3), "with compression 3 inside"),
        (bitmap(bgrx(IMAGE), 5, -7, 8, compression=RLE8), "cannot run from top to bottom"),
        (bitmap(bgrx(IMAGE), 5, 7, 32, compression=3, masks=(0, 0, 0)), "masks are empty"),
        (
            bitmap(bgrx(IMAGE), 5, 7, 32, compression=3, masks=(5, 2, 8)),
            "mask with holes",
        ),
        (b"BM" + bytes(12) + struct.pack("<I", 41) + bytes(60), "a header of 41 bytes"),
        (b"BM" + bytes(12) + struct.pack("<I", 124) + bytes(60), "ends within its header"),
    ],
)
def test_what_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(ImageError, match=sentence):
        read(save(tmp_path, content))


def calibrated(gamma: int) -> bytes:
    """The end of a V4 header: sRGB's primaries times their light, as 2.30, and three gammas."""
    primaries = [[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9505]]
    corners: bytes = np.rint(np.array(primaries) * (1 << 30)).astype("<i4").tobytes()
    return struct.pack("<I", 0) + corners + struct.pack("<3I", gamma, gamma, gamma)


def test_what_the_header_says_of_colours(tmp_path: Path) -> None:
    masks = (0xFF0000, 0xFF00, 0xFF, 0)
    content = bitmap(bgrx(IMAGE), 5, 7, 32, header=108, masks=masks, tail=calibrated(1 << 16))
    with PictureReader(save(tmp_path, content)) as reader:
        meaning = reader.meaning
    assert meaning.gamma == 100_000
    assert meaning.chromaticities is not None
    srgb = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
    np.testing.assert_allclose(meaning.chromaticities, srgb, atol=40)
    content = bitmap(bgrx(IMAGE), 5, 7, 32, header=108, masks=masks, tail=b"BGRs" + bytes(48))
    with PictureReader(save(tmp_path, content)) as reader:
        assert reader.meaning.srgb_intent == 0
    plain = bitmap(bgrx(IMAGE), 5, 7, 32, header=124)
    end = struct.pack("<4I", 4, len(plain) - 14, 300, 0)
    tail = b"DEBM" + bytes(48) + end
    content = bitmap(bgrx(IMAGE), 5, 7, 32, header=124, masks=masks, tail=tail)
    with PictureReader(save(tmp_path, content + bytes(range(100)) * 3)) as reader:
        assert reader.meaning.icc_profile == bytes(range(100)) * 3


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_bitmaps_are_sentences(tmp_path: Path, data: st.DataObject) -> None:
    rows = random_image(9, 13, 1)[..., 0]
    kinds = [
        bitmap(bgrx(IMAGE), 5, 7, 32, header=124),
        bitmap(bgrx(IMAGE), 5, 7, 32, compression=MASKS, masks=(0xFF, 0xFF00, 0xFF0000)),
        bitmap(
            run_lengths(rows, last_line=b"", end=b"\0\1"),
            13,
            9,
            8,
            compression=RLE8,
            palette=GRAYS.tobytes(),
        ),
    ]
    content = bytearray(data.draw(st.sampled_from(kinds)))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, min(len(content), 200) - 1))
        patch = data.draw(st.binary(min_size=1, max_size=8))
        content[start : start + len(patch)] = patch
    path, sentence = save(tmp_path, bytes(content)), ""
    try:
        with PictureReader(path) as reader:
            if reader.width * reader.height < 1 << 20:
                assert reader.read_rows(reader.height).shape[:2] == (reader.height, reader.width)
    except ImageError as error:
        sentence = str(error)
    assert "\n" not in sentence
