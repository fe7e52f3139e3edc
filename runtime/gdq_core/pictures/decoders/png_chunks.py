"""What the chunks of a PNG say beside the pixels: colours and animation."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from gdq_core.errors import ImageError
from gdq_core.pictures.colour.meaning import ColourMeaning

_SIZES = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"cICP": 4, b"acTL": 8}
_LARGEST_PROFILE = 1 << 26


def read_chunks(path: Path) -> dict[bytes, bytes]:
    """Read the chunks of interest before the pixels, and walk to the last of the file.

    So a cut file is found before hours of work, not after. A chunk with a wrong checksum or size is
    passed over, as libpng does: the picture does not depend on it.

    Raises:
        ImageError: the file ends too early.

    """
    found: dict[bytes, bytes] = {}
    with path.open("rb") as stream:
        stream.seek(8)
        before_pixels = True
        for name, length in _walk(stream):
            before_pixels = before_pixels and name != b"IDAT"
            if name == b"IEND":
                return found
            if not before_pixels or name in found or not _is_wanted(name, length):
                continue
            data, checksum = stream.read(length), stream.read(4)
            stream.seek(-len(data) - len(checksum), 1)
            if checksum == struct.pack(">I", zlib.crc32(data, zlib.crc32(name))):
                found[name] = data
    raise ImageError(f"{path} is truncated: its end is missing")


def meaning_of(chunks: dict[bytes, bytes]) -> ColourMeaning:
    """Translate what the chunks say of the colours."""
    gamma = int.from_bytes(chunks[b"gAMA"], "big") if b"gAMA" in chunks else 0
    corners = struct.unpack(">8I", chunks[b"cHRM"]) if b"cHRM" in chunks else None
    intent = chunks.get(b"sRGB", b"\xff")[0]
    primaries, transfer, matrix, full_range = chunks.get(b"cICP", bytes(4))
    # 2 means "unspecified"; a matrix other than 0 would make the samples something else than RGB.
    is_said = b"cICP" in chunks and matrix == 0 and 2 not in (primaries, transfer)
    return ColourMeaning(
        icc_profile=_decompress(chunks[b"iCCP"]) if b"iCCP" in chunks else None,
        cicp=(primaries, transfer, matrix, full_range) if is_said else None,
        srgb_intent=intent if intent <= 3 else None,
        gamma=gamma or None,
        chromaticities=corners,
    )


def count_frames(chunks: dict[bytes, bytes]) -> int:
    """Return how many pictures an animation has; 1 if it is none."""
    return int.from_bytes(chunks[b"acTL"][:4], "big") if b"acTL" in chunks else 1


def _is_wanted(name: bytes, length: int) -> bool:
    return _SIZES.get(name) == length or (name == b"iCCP" and length <= _LARGEST_PROFILE)


def _walk(stream: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Yield name and length of each chunk, the stream being at its data."""
    while len(header := stream.read(8)) == 8:
        length = int.from_bytes(header[:4], "big")
        behind = stream.tell() + length + 4
        yield header[4:], length
        stream.seek(behind)


def _decompress(chunk: bytes) -> bytes | None:
    """Return the profile of an iCCP chunk: a name, 0, a method, and a deflate stream."""
    _, _, rest = chunk.partition(b"\0")
    unpacker = zlib.decompressobj()
    try:
        profile = unpacker.decompress(rest[1:], _LARGEST_PROFILE)
    except zlib.error:
        return None
    return profile if unpacker.eof else None
