"""TIFF of every depth and meaning, written by hand or by tifffile, against what was written."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms

from core.made_pictures import random_image
from gdq_core.errors import ImageError
from gdq_core.pictures.decode import PictureReader
from gdq_core.pictures.decoders.tiff_directory import (
    COLOUR_TABLE,
    IMAGE_DEPTH,
    read_number,
    read_numbers,
)

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, YCBCR = 0, 1, 2, 3, 6
STRAIGHT = 2
RNG = np.random.default_rng(0)


def read(path: Path, step: int = 3) -> NDArray[np.uint8]:
    with PictureReader(path) as reader:
        heights = [min(step, reader.height - y) for y in range(0, reader.height, step)]
        return np.concatenate([reader.read_rows(height) for height in heights])


def write(
    path: Path,
    samples: NDArray[np.integer],
    bits: int,
    meaning: int,
    extra: int | None = None,
    others: dict[int, list[int]] | None = None,
) -> Path:
    """A big-endian TIFF of one strip; (height, width, channels) of any number of bits."""
    height, width, channels = samples.shape
    shifts = np.arange(bits)[::-1]
    stored = (samples.reshape(height, -1, 1) >> shifts) & 1
    data = np.packbits(stored.reshape(height, -1).astype(np.uint8), axis=1).tobytes()
    tags: dict[int, list[int]] = {
        256: [width],
        257: [height],
        258: [bits] * channels,
        259: [1],
        262: [meaning],
        273: [0],
        277: [channels],
        278: [height],
        279: [len(data)],
        **({338: [extra]} if extra is not None else {}),
        **(others or {}),
    }
    behind = 8 + 2 + 12 * len(tags) + 4
    room = 4 * sum(len(values) for values in tags.values() if len(values) > 1)
    table, outside = b"", b""
    for tag, values in sorted(tags.items()):
        packed = struct.pack(f">{len(values)}I", *([behind + room] if tag == 273 else values))
        if len(packed) > 4:
            table += struct.pack(">HHII", tag, 4, len(values), behind + len(outside))
            outside += packed
        else:
            table += struct.pack(">HHI", tag, 4, len(values)) + packed
    head = b"MM\0*" + struct.pack(">IH", 8, len(tags))
    path.write_bytes(head + table + bytes(4) + outside + data)
    return path


def expected(samples: NDArray[np.integer], bits: int) -> NDArray[np.float64]:
    values: NDArray[np.float64] = samples * 255 / (2**bits - 1)
    return values


@pytest.mark.parametrize("meaning", [WHITE_IS_ZERO, BLACK_IS_ZERO])
@pytest.mark.parametrize("bits", range(1, 17))
def test_gray_of_every_depth(tmp_path: Path, bits: int, meaning: int) -> None:
    samples = np.random.default_rng(bits).integers(0, 2**bits, (9, 13, 1))
    path = write(tmp_path / "a.tif", samples, bits, meaning)
    if bits in (3, 5, 7, 9, 11, 13, 15):
        with pytest.raises(ImageError, match=rf"Invalid bits per sample \({bits}\)"):
            read(path)
        return
    values = expected(samples, bits)
    # The library rounds down once to 8 or 16 bits.
    np.testing.assert_allclose(
        read(path), 255 - values if meaning == WHITE_IS_ZERO else values, atol=1
    )


@pytest.mark.parametrize("meaning", [WHITE_IS_ZERO, BLACK_IS_ZERO])
@pytest.mark.parametrize("bits", [1, 2, 4, 6, 8, 10, 12, 14, 16])
def test_gray_with_alpha(tmp_path: Path, bits: int, meaning: int) -> None:
    samples = np.random.default_rng(bits).integers(0, 2**bits, (9, 13, 2))
    values = expected(samples, bits)
    if meaning == WHITE_IS_ZERO:
        values[..., 0] = 255 - values[..., 0]
    path = write(tmp_path / "a.tif", samples, bits, meaning, STRAIGHT)
    np.testing.assert_allclose(read(path), values, atol=1)


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("bits", [2, 4, 8, 10, 12, 14, 16])
def test_colours_of_every_depth(tmp_path: Path, bits: int, alpha: bool) -> None:
    samples = np.random.default_rng(bits).integers(0, 2**bits, (9, 13, 4 if alpha else 3))
    path = write(tmp_path / "a.tif", samples, bits, RGB, STRAIGHT if alpha else None)
    np.testing.assert_allclose(read(path), expected(samples, bits), atol=1)


@pytest.mark.parametrize("tile", [None, (16, 16)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_white_is_zero_in_strips_and_tiles(
    tmp_path: Path, dtype: type[np.unsignedinteger], tile: tuple[int, int] | None
) -> None:
    largest = np.iinfo(dtype).max
    samples = np.random.default_rng(0).integers(0, largest + 1, (40, 50), dtype=dtype)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, samples, photometric="miniswhite", tile=tile)
    with Image.open(path) as other:
        assert other.size == (50, 40)
    values = 255 - samples / (largest / 255)
    np.testing.assert_allclose(read(path)[..., 0], values, atol=0.51)


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("tile", [None, (16, 16)])
def test_separate_planes(tmp_path: Path, channels: int, tile: tuple[int, int] | None) -> None:
    image = random_image(40, 50, channels)
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.ascontiguousarray(image.transpose(2, 0, 1)),
        photometric="rgb",
        planarconfig="separate",
        tile=tile,
        extrasamples=["unassalpha"] if channels == 4 else None,
    )
    np.testing.assert_array_equal(read(tmp_path / "a.tif"), image)


@pytest.mark.parametrize("tile", [(16, 16), (2, 16, 16)])
def test_a_volume_is_refused(tmp_path: Path, tile: tuple[int, ...]) -> None:
    volume = np.zeros((4, 32, 32), dtype=np.uint8)
    tifffile.imwrite(
        tmp_path / "a.tif", volume, photometric="minisblack", volumetric=True, tile=tile
    )
    with pytest.raises(ImageError, match="is a volume of 4 slices"):
        PictureReader(tmp_path / "a.tif")


@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_a_number_in_the_directory(tmp_path: Path, byteorder: str, bigtiff: bool) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path,
        np.zeros((4, 32, 48), dtype=np.uint8),
        photometric="minisblack",
        volumetric=True,
        tile=(16, 16),
        bigtiff=bigtiff,
        byteorder=byteorder,  # type: ignore[arg-type]
    )
    assert read_number(path, IMAGE_DEPTH) == 4
    assert read_number(path, 256) == 48
    assert read_number(path, 1) is None
    path.write_bytes(path.read_bytes()[:30])
    assert read_number(path, IMAGE_DEPTH) is None


@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_all_values_of_a_tag(tmp_path: Path, byteorder: str, bigtiff: bool) -> None:
    path, table = tmp_path / "a.tif", np.arange(768, dtype=np.uint16).reshape(3, 256)
    tifffile.imwrite(
        path,
        np.zeros((4, 4), dtype=np.uint8),
        photometric="palette",
        colormap=table,
        bigtiff=bigtiff,
        byteorder=byteorder,  # type: ignore[arg-type]
    )
    assert read_numbers(path, COLOUR_TABLE) == tuple(range(768))
    assert read_numbers(path, 256) == (4,)
    assert read_numbers(path, 1) == ()


@pytest.mark.parametrize("meaning", [5, 8])
def test_inks_and_lab_are_refused(tmp_path: Path, meaning: int) -> None:
    path = write(tmp_path / "a.tif", np.zeros((4, 4, 3), dtype=int), 8, meaning)
    with pytest.raises(ImageError, match=r"has .+ colours: convert it to RGB first"):
        PictureReader(path)


def test_lab_by_pillow_is_refused(tmp_path: Path) -> None:
    lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    image = ImageCms.applyTransform(Image.fromarray(random_image(8, 8)), lab)
    assert image is not None
    image.save(tmp_path / "a.tif")
    with pytest.raises(ImageError, match="has CIELAB colours"):
        PictureReader(tmp_path / "a.tif")


def test_a_mask_and_an_unknown_fourth_channel_are_refused(tmp_path: Path) -> None:
    mask = write(tmp_path / "a.tif", np.zeros((4, 4, 1), dtype=int), 1, 4)
    with pytest.raises(ImageError, match="the transparency of a picture, but no picture"):
        PictureReader(mask)
    unknown = write(tmp_path / "b.tif", np.zeros((4, 4, 4), dtype=int), 8, RGB, 0)
    with pytest.raises(ImageError, match="has 4 channels R, G, B, channel3"):
        PictureReader(unknown)
    multiplied = write(tmp_path / "c.tif", np.zeros((4, 4, 4), dtype=int), 8, RGB, 1)
    with pytest.raises(ImageError, match="transparency multiplied into its colours"):
        PictureReader(multiplied)


@pytest.mark.parametrize("meaning", [32803, 34892])
def test_raw_data_of_a_sensor_are_refused(tmp_path: Path, meaning: int) -> None:
    raw = write(tmp_path / "a.tif", np.zeros((4, 4, 1), dtype=int), 8, meaning)
    with pytest.raises(ImageError, match="holds the raw data of a camera's sensor"):
        PictureReader(raw)


def test_subsampled_colours_are_refused_when_they_are_cut(tmp_path: Path) -> None:
    blocks = RNG.integers(0, 256, (1, 64, 6))  # each of 2x2 luma, Cb and Cr
    size = {256: [16], 257: [16], 258: [8, 8, 8], 277: [3], 278: [16], 530: [2, 2]}
    path = write(tmp_path / "a.tif", blocks, 8, YCBCR, others=size)
    assert read(path).shape == (16, 16, 3)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ImageError, match="is truncated: its end is missing"):
        PictureReader(path)


@pytest.mark.parametrize("dtype", ["int8", "int16", "float16", "float32", "float64", "uint32"])
def test_other_samples_are_refused(tmp_path: Path, dtype: str) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((8, 8), dtype=dtype), photometric="minisblack")
    with pytest.raises(ImageError, match="pictures of 8 or 16 bits are accepted"):
        PictureReader(tmp_path / "a.tif")


@pytest.mark.parametrize("factor", [256, 257])
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_palette_however_its_colours_are_stretched(
    tmp_path: Path, bits: int, factor: int
) -> None:
    indices = RNG.integers(0, 1 << bits, (9, 13, 1))
    colours = RNG.integers(2, 256, (3, 1 << bits))
    colours[:, 0] = 255
    table = {COLOUR_TABLE: (colours * factor).ravel().tolist()}
    path = write(tmp_path / "a.tif", indices, bits, PALETTE, others=table)
    np.testing.assert_array_equal(read(path), colours.T[indices[..., 0]])


@pytest.mark.parametrize(("bits", "factor"), [(8, 1), (6, 257)])
def test_palettes_that_the_library_misreads_are_refused(
    tmp_path: Path, bits: int, factor: int
) -> None:
    table = {COLOUR_TABLE: (RNG.integers(1, 256, 3 << bits) * factor).tolist()}
    path = write(tmp_path / "a.tif", np.zeros((4, 4, 1), int), bits, PALETTE, others=table)
    with pytest.raises(ImageError, match=f"a palette of {bits} bits .*save it as RGB"):
        PictureReader(path)


@pytest.mark.parametrize(
    "compression", ["jpeg", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits"]
)
def test_compressions_as_pillow_reads_them(tmp_path: Path, compression: str) -> None:
    Image.fromarray(random_image(40, 56)).save(tmp_path / "a.tif", compression=compression)
    with Image.open(tmp_path / "a.tif") as other:
        expected = np.asarray(other.convert("RGB")).astype(int)
    np.testing.assert_allclose(
        read(tmp_path / "a.tif", 40), expected, atol=2 if compression == "jpeg" else 0
    )


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_ccitt"])
def test_facsimiles_as_pillow_reads_them(tmp_path: Path, compression: str) -> None:
    facsimile = Image.fromarray(random_image(40, 56)).convert("1")
    facsimile.save(tmp_path / "a.tif", compression=compression)
    np.testing.assert_array_equal(read(tmp_path / "a.tif")[..., 0], np.asarray(facsimile) * 255)


@pytest.mark.parametrize("compression", ["lzma", "zstd"])
def test_foreign_compressions_are_refused_at_once(tmp_path: Path, compression: str) -> None:
    Image.fromarray(random_image(9, 9)).save(tmp_path / "a.tif", compression=compression)
    with pytest.raises(ImageError, match=r"is compressed by .*: save it with LZW or deflate"):
        PictureReader(tmp_path / "a.tif")
