from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.made_pictures import icc_chunk, png_bytes, random_image, srgb_like_profile
from gdq_core.errors import ImageError
from gdq_core.pictures.colour.meaning import UNSAID, ColourMeaning
from gdq_core.pictures.decode import PictureReader
from gdq_core.pictures.decoders.png_chunks import meaning_of, read_chunks

IMAGE = random_image(4, 4)
P3 = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)


def meaning(tmp_path: Path, extra: dict[bytes, bytes]) -> ColourMeaning:
    path = tmp_path / "a.png"
    path.write_bytes(png_bytes(IMAGE, extra=extra))
    with PictureReader(path) as reader:
        np.testing.assert_array_equal(reader.read_rows(4), IMAGE)  # never converted
        return reader.meaning


def test_what_chunks_say(tmp_path: Path) -> None:
    assert meaning(tmp_path, {}) == UNSAID
    assert meaning(tmp_path, {b"gAMA": struct.pack(">I", 100_000)}) == ColourMeaning(gamma=100_000)
    assert meaning(tmp_path, {b"sRGB": b"\1"}) == ColourMeaning(srgb_intent=1)
    assert meaning(tmp_path, {b"cHRM": struct.pack(">8I", *P3)}) == ColourMeaning(chromaticities=P3)
    assert meaning(tmp_path, {b"cICP": b"\x0c\x0d\0\1"}) == ColourMeaning(cicp=(12, 13, 0, 1))
    assert meaning(tmp_path, icc_chunk(srgb_like_profile())) == ColourMeaning(srgb_like_profile())


@pytest.mark.parametrize(
    "extra",
    [
        {b"gAMA": b"\0\0"},
        {b"gAMA": bytes(4)},
        {b"sRGB": b"\7"},
        {b"cICP": b"\2\2\0\1"},  # unspecified
        {b"cICP": b"\1\1\1\1"},  # YCbCr, which a PNG cannot be
        {b"iCCP": b"name\0\0 no deflate stream"},
        {b"iCCP": b""},
    ],
)
def test_nonsense_says_nothing(tmp_path: Path, extra: dict[bytes, bytes]) -> None:
    assert meaning(tmp_path, extra) == UNSAID


def test_a_wrong_checksum_says_nothing(tmp_path: Path) -> None:
    content = png_bytes(IMAGE, extra={b"gAMA": struct.pack(">I", 100_000)})
    place = content.index(b"gAMA") + 8
    (tmp_path / "a.png").write_bytes(content[:place] + b"\0\0\0\0" + content[place + 4 :])
    assert meaning_of(read_chunks(tmp_path / "a.png")) == UNSAID


def test_a_bomb_of_a_profile_is_not_unpacked(tmp_path: Path) -> None:
    assert meaning(tmp_path, icc_chunk(bytes(1 << 27))) == UNSAID


def test_a_cut_file_is_noticed_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png_bytes(IMAGE)[:-12])
    with pytest.raises(ImageError, match="its end is missing"):
        read_chunks(tmp_path / "a.png")


def test_pillow_s_gamma_and_profile(tmp_path: Path) -> None:
    Image.fromarray(IMAGE).save(tmp_path / "a.png", icc_profile=srgb_like_profile())
    with PictureReader(tmp_path / "a.png") as reader:
        assert reader.meaning.icc_profile == srgb_like_profile()
