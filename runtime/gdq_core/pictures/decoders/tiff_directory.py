"""Numbers in the first directory of a TIFF that OpenImageIO does not tell."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

BITS_PER_SAMPLE = 258
STRIP_OFFSETS, STRIP_SIZES = 273, 279
COLOUR_TABLE = 320
TILE_OFFSETS, TILE_SIZES = 324, 325
IMAGE_DEPTH = 32997
"""Slices of a volume; SGI's tag, which libtiff knows."""

_KINDS = {1: "B", 3: "H", 4: "I", 16: "Q"}
_MOST_ENTRIES = 1 << 16
_MOST_VALUES = 1 << 24


def read_number(path: Path, tag: int) -> int | None:
    """Return the first value of a tag, classic TIFF or BigTIFF; None if it is not there."""
    values = read_numbers(path, tag)
    return values[0] if values else None


def read_numbers(path: Path, tag: int) -> tuple[int, ...]:
    """Return all values of a tag, classic TIFF or BigTIFF; none if it is not there or damaged."""
    with path.open("rb") as stream:
        try:
            return _find(stream, tag)
        except (struct.error, OSError, OverflowError, ValueError):
            return ()  # damaged: the decoder has words for it


def end_of_data(path: Path) -> int:
    """Return where the last strip or tile ends that the directory names, in bytes."""
    places = read_numbers(path, STRIP_OFFSETS) or read_numbers(path, TILE_OFFSETS)
    sizes = read_numbers(path, STRIP_SIZES) or read_numbers(path, TILE_SIZES)
    return max((place + size for place, size in zip(places, sizes, strict=False)), default=0)


def _find(stream: BinaryIO, tag: int) -> tuple[int, ...]:
    head = stream.read(16)
    order = "<" if head[:2] == b"II" else ">"
    is_big = head[2:4] in (b"+\0", b"\0+")
    number = "Q" if is_big else "I"  # offsets and counts of values
    value = 12 if is_big else 8  # place of the values, or of their offset, in an entry
    (place,) = struct.unpack_from(order + number, head, 8 if is_big else 4)
    stream.seek(place)
    (entries,) = struct.unpack(order + ("Q" if is_big else "H"), stream.read(8 if is_big else 2))
    for _ in range(min(entries, _MOST_ENTRIES)):
        entry = stream.read(20 if is_big else 12)
        name, kind = struct.unpack_from(order + "HH", entry)
        if name != tag or kind not in _KINDS:
            continue
        (count,) = struct.unpack_from(order + number, entry, 4)
        layout = f"{order}{min(count, _MOST_VALUES)}{_KINDS[kind]}"
        data = entry[value:]
        if struct.calcsize(layout) > len(data):
            stream.seek(struct.unpack(order + number, data)[0])
            data = stream.read(struct.calcsize(layout))
        return struct.unpack_from(layout, data)
    return ()
