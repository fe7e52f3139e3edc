"""Picture files of every kind, written without the code under test and without Pillow."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import OpenImageIO
from numpy.typing import NDArray

# (first row, first column, row step, column step) of the seven passes of PNG's Adam7.
_ADAM7 = [
    (0, 0, 8, 8),
    (0, 4, 8, 8),
    (4, 0, 8, 4),
    (0, 2, 4, 4),
    (2, 0, 4, 2),
    (0, 1, 2, 2),
    (1, 0, 2, 1),
]


def random_image(height: int, width: int, channels: int = 3, seed: int = 0) -> NDArray[np.uint8]:
    """Smooth noise: like a photo, it compresses and survives JPEG."""
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.5).reshape(noise.shape)
    stretched = (smooth.astype(int) - 128) * 5 + 128
    image: NDArray[np.uint8] = np.clip(stretched, 0, 255).astype(np.uint8)
    return image


def png_bytes(
    image: NDArray[Any],
    *,
    colour_type: int | None = None,
    depth: int = 8,
    interlaced: bool = False,
    extra: dict[bytes, bytes] | None = None,
    size: tuple[int, int] | None = None,
) -> bytes:
    """A PNG of an image (height, width, channels).

    ``extra`` are chunks before the pixels (PLTE, tRNS, iCCP, eXIf); ``size`` is a lie about width
    and height for the header.
    """
    height, width, channels = image.shape
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels] if colour_type is None else colour_type
    header = struct.pack(">II5B", *(size or (width, height)), depth, kind, 0, 0, int(interlaced))
    passes = _ADAM7 if interlaced else [(0, 0, 1, 1)]
    pixels = b"".join(_pack(image[r::dr, c::dc], depth) for r, c, dr, dc in passes)
    chunks = {b"IHDR": header, **(extra or {}), b"IDAT": zlib.compress(pixels), b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks.items())


def icc_chunk(profile: bytes) -> dict[bytes, bytes]:
    return {b"iCCP": b"profile\0\0" + zlib.compress(profile)}


def exif(orientation: int) -> bytes:
    """A little-endian TIFF directory with one entry, tag 0x0112."""
    return struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def jpeg_bytes(image: NDArray[np.uint8], orientation: int | None = None, *options: int) -> bytes:
    bgr = image[..., ::-1] if image.shape[2] == 3 else image
    _, encoded = cv2.imencode(".jpg", np.ascontiguousarray(bgr), [*options])
    data = encoded.tobytes()
    if orientation is None:
        return data
    segment = b"Exif\0\0" + exif(orientation)
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + data[2:]


def write_tiff(path: Path, image: NDArray[Any], tile: int = 0, **attributes: Any) -> Path:
    """A TIFF by OpenImageIO, whose attribute names have ':' where ours have '__'."""
    height, width, channels = image.shape
    kinds = {"float32": "float", "float64": "double", "uint32": "uint"}
    kind = kinds.get(str(image.dtype), str(image.dtype))
    spec = OpenImageIO.ImageSpec(width, height, channels, kind)
    spec.tile_width = spec.tile_height = tile
    spec.attribute("tiff:write_exif", 0)
    for name, value in attributes.items():
        spec.attribute(name.replace("__", ":"), value)
    if channels in (2, 4) and attributes.get("tiff__ColorSpace") != "CMYK":
        spec.channelnames = ("Y", "A") if channels == 2 else ("R", "G", "B", "A")
        spec.alpha_channel = channels - 1
    output = OpenImageIO.ImageOutput.create("tiff")
    assert output is not None, OpenImageIO.geterror()
    assert output.open(str(path), spec), output.geterror()
    assert output.write_image(np.ascontiguousarray(image)), output.geterror()
    assert output.close(), output.geterror()
    return path


def srgb_like_profile(colour_space: bytes = b"RGB ") -> bytes:
    """An ICC profile that libpng lets pass: a header, no tags, and enough noise behind."""
    noise = np.random.default_rng(0).bytes(200)
    header = bytearray(132)
    header[0:4] = struct.pack(">I", len(header) + len(noise))
    header[8:12] = b"\x02\x10\0\0"
    header[12:16] = b"mntr"
    header[16:20] = colour_space
    header[20:24] = b"XYZ "
    header[36:40] = b"acsp"
    header[68:80] = struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D)
    return bytes(header) + noise


def _pack(image: NDArray[Any], depth: int) -> bytes:
    height = image.shape[0]
    if image.size == 0:
        return b""
    if depth == 16:
        rows = image.astype(">u2").reshape(height, -1).view(np.uint8)
    elif depth == 8:
        rows = image.astype(np.uint8).reshape(height, -1)
    else:
        bits = (image.reshape(height, -1, 1) >> np.arange(depth)[::-1]) & 1
        rows = np.packbits(bits.reshape(height, -1).astype(np.uint8), axis=1)
    unfiltered = np.zeros((height, 1), dtype=np.uint8)
    return np.hstack([unfiltered, rows]).tobytes()


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
