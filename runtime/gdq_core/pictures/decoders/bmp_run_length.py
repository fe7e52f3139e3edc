"""The run-length codes of bitmaps, RLE8 and RLE4."""

from __future__ import annotations

import numpy as np

from gdq_core.pictures.rows import Rows

_END_OF_LINE, _END, _DELTA = 0, 1, 2


def unpack_runs(data: bytes, width: int, height: int, *, nibbles: bool) -> Rows | None:
    """Unpack palette indices, (height, width), the lowest row first.

    Pixels that are skipped have index 0. What exceeds a row is cut off, and behind the last row
    nothing matters: encoders differ in whether they end it with an end of line.

    Args:
        data: pairs of bytes.
        width: pixels per row.
        height: rows.
        nibbles: RLE4: two pixels a byte.

    Returns:
        None if the data end before the picture does.

    """
    pixels = np.zeros((height, width), dtype=np.uint8)
    x = y = place = 0
    while y < height:
        if place + 2 > len(data):
            return pixels if y == height - 1 and x >= width else None
        count, value = data[place], data[place + 1]
        place += 2
        if count:
            pair = (value >> 4, value & 15) if nibbles else (value, value)
            end = x + count
            pixels[y, x:end:2], pixels[y, x + 1 : end : 2] = pair
            x += count
        elif value == _END_OF_LINE:
            x, y = 0, y + 1
        elif value == _END:
            return pixels
        elif value == _DELTA:
            if place + 2 > len(data):
                return None
            x, y = x + data[place], y + data[place + 1]
            place += 2
        else:
            length = (value + 1) // 2 if nibbles else value
            literal = data[place : place + length]
            if len(literal) < length:
                return None
            samples = _spread(literal, value) if nibbles else np.frombuffer(literal, np.uint8)
            pixels[y, x : x + value] = samples[: max(width - x, 0)]
            x += value
            place += length + length % 2
    return pixels


def _spread(packed: bytes, count: int) -> Rows:
    """Return ``count`` indices of 4 bits, the high one of each byte first."""
    values = np.frombuffer(packed, dtype=np.uint8)
    return np.stack([values >> 4, values & 15], axis=1).reshape(-1)[:count]
