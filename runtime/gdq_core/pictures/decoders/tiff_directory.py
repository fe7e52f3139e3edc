"""Numbers in the first directory of a TIFF that OpenImageIO does not tell."""

from __future__ import annotations

import struct
from pathlib import Path

IMAGE_DEPTH = 32997
"""Slices of a volume; SGI's tag, which libtiff knows."""

_WIDTHS = {1: "B", 3: "H", 4: "I", 16: "Q"}


def read_number(path: Path, tag: int) -> int | None:
    """Return the first value of a tag, classic TIFF or BigTIFF; None if it is not there."""
    with path.open("rb") as stream:
        head = stream.read(16)
        order = "<" if head[:2] == b"II" else ">"
        is_big = head[2:4] in (b"+\0", b"\0+")
        try:
            (place,) = struct.unpack(
                order + ("Q" if is_big else "I"), head[8:16] if is_big else head[4:8]
            )
            stream.seek(place)
            count_size, entry_size, value = (8, 20, 12) if is_big else (2, 12, 8)
            (count,) = struct.unpack(order + ("Q" if is_big else "H"), stream.read(count_size))
            for _ in range(min(count, 1 << 16)):
                entry = stream.read(entry_size)
                name, kind = struct.unpack(order + "HH", entry[:4])
                if name == tag and kind in _WIDTHS:
                    code = order + _WIDTHS[kind]
                    return int(struct.unpack_from(code, entry, value)[0])
        except (struct.error, OSError, OverflowError, ValueError):
            return None  # damaged: the decoder has words for it
    return None
