"""How large a picture may be: a file is somebody else's, and its claims are not believed."""

from __future__ import annotations

from pathlib import Path

from gdq_core.errors import ImageError

MAX_SIDE = 1 << 20
MAX_PIXELS = 1 << 31
"""What one run may be asked to do; the largest published photographs have a tenth of it."""

BOMB_FLOOR = 1 << 27
BOMB_PIXELS_PER_BYTE = 200
"""Above the floor, a file that claims more pixels per byte than this is taken for a bomb.

Photographs have fewer than 50 pixels per byte; an all-black PNG has 340 (RGB) to 1000 (gray).
"""


def check_size(path: Path, width: int, height: int, size: int) -> None:
    """Check from a header alone that a picture should be read.

    Args:
        path: the file.
        width: pixels that it claims.
        height: pixels that it claims.
        size: bytes that it has.

    Raises:
        ImageError: too large, or a decompression bomb.

    """
    pixels = width * height
    if max(width, height) > MAX_SIDE or pixels > MAX_PIXELS:
        raise ImageError(
            f"{path} claims {width}x{height} pixels; at most {MAX_SIDE} per side and "
            f"{MAX_PIXELS} in all are accepted"
        )
    if pixels > BOMB_FLOOR and pixels > size * BOMB_PIXELS_PER_BYTE:
        raise ImageError(
            f"{path} claims {width}x{height} pixels in only {size} bytes, like a "
            "decompression bomb: if it is a genuine picture, save it without compression"
        )
