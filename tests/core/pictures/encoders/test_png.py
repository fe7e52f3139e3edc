from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from core.made_pictures import random_image
from core.pictures.profiles import large_profile
from gdq_core.pictures.colour.meaning import UNSAID, ColourMeaning
from gdq_core.pictures.encoders.base import PictureHeader
from gdq_core.pictures.encoders.png import PngEncoder

SRGB = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)


def encode(path: Path, image: np.ndarray, meaning: ColourMeaning = UNSAID, step: int = 7) -> Path:
    height, width, channels = image.shape
    encoder = PngEncoder(path, PictureHeader(width, height, channels, meaning))
    for start in range(0, height, step):
        encoder.write_rows(image[start : start + step])
    encoder.finish()
    return path


def chunks(path: Path) -> dict[bytes, bytes]:
    """The chunks of a file, their checksums checked; no name but IDAT comes twice."""
    content, place, found = path.read_bytes(), 8, dict[bytes, bytes]()
    while place < len(content):
        (length,) = struct.unpack(">I", content[place : place + 4])
        name, data = content[place + 4 : place + 8], content[place + 8 : place + 8 + length]
        (checksum,) = struct.unpack(">I", content[place + 8 + length : place + 12 + length])
        assert checksum == zlib.crc32(name + data)
        assert name == b"IDAT" or name not in found
        found[name] = data
        place += 12 + length
    return found


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    channels=st.integers(1, 4),
    step=st.integers(1, 41),
)
def test_pillow_reads_every_sample(
    tmp_path: Path, height: int, width: int, channels: int, step: int
) -> None:
    image = np.random.default_rng(height).integers(
        0, 256, (height, width, channels), dtype=np.uint8
    )
    with Image.open(encode(tmp_path / "a.png", image, step=step)) as read:
        assert read.mode == ("L", "LA", "RGB", "RGBA")[channels - 1]
        np.testing.assert_array_equal(np.asarray(read).reshape(image.shape), image)


def test_the_filter_pays(tmp_path: Path) -> None:
    y, x = np.mgrid[:300, :300]
    noise = np.random.default_rng(0).normal(0, 2, (300, 300, 3))
    waves = 128 + 90 * np.sin(x / 17) * np.cos(y / 23)
    image = (waves[..., np.newaxis] + noise).astype(np.uint8)
    filtered = encode(tmp_path / "a.png", image).stat().st_size
    assert filtered < 0.9 * len(zlib.compress(image.tobytes(), 1))


def test_nothing_is_claimed_that_was_not_said(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.png", random_image(4, 4))
    assert list(chunks(path)) == [b"IHDR", b"IDAT", b"IEND"]


def test_everything_that_was_said_is_said_before_the_pixels(tmp_path: Path) -> None:
    meaning = ColourMeaning(cicp=(12, 13, 0, 1), srgb_intent=1, gamma=45455, chromaticities=SRGB)
    found = chunks(encode(tmp_path / "a.png", random_image(4, 4), meaning))
    assert list(found) == [b"IHDR", b"cICP", b"sRGB", b"gAMA", b"cHRM", b"IDAT", b"IEND"]
    assert found[b"cICP"] == bytes([12, 13, 0, 1])
    assert found[b"sRGB"] == b"\1"
    assert struct.unpack(">I", found[b"gAMA"]) == (45455,)
    assert struct.unpack(">8I", found[b"cHRM"]) == SRGB


def test_a_profile_and_srgb_never_stand_together(tmp_path: Path) -> None:
    meaning = ColourMeaning(large_profile(3000), srgb_intent=0)
    found = chunks(encode(tmp_path / "a.png", random_image(4, 4), meaning))
    assert b"iCCP" in found
    assert b"sRGB" not in found


@pytest.mark.parametrize("rows", [0, 3])
def test_a_released_file_is_closed(tmp_path: Path, rows: int) -> None:
    encoder = PngEncoder(tmp_path / "a.png", PictureHeader(5, 5, 3, UNSAID))
    encoder.write_rows(random_image(5, 5)[:rows])
    encoder.release()
    encoder.release()
    (tmp_path / "a.png").unlink()
