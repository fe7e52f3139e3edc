"""What a bitmap's header of version 4 or 5 says of its colours."""

from __future__ import annotations

import struct
from typing import BinaryIO

from gdq_core.pictures.colour.meaning import UNSAID, ColourMeaning

_FILE_HEADER = 14
_CALIBRATED, _SRGB, _EMBEDDED = 0, 0x73524742, 0x4D424544  # LCS_CALIBRATED_RGB, "sRGB", "MBED"
_INTENTS = {4: 0, 2: 1, 1: 2, 8: 3}  # LCS_GM_IMAGES, _GRAPHICS, _BUSINESS, _ABS_COLORIMETRIC
_LARGEST_PROFILE = 1 << 26


def meaning_of(info: bytes, stream: BinaryIO) -> ColourMeaning:
    """Read what the header says, and the profile that it points to.

    Args:
        info: the header, BITMAPV4HEADER or BITMAPV5HEADER.
        stream: the file.

    """
    (kind,) = struct.unpack("<I", info[56:60])
    is_fifth = len(info) >= 124
    if kind == _SRGB:
        intent = struct.unpack("<I", info[108:112])[0] if is_fifth else 0
        return ColourMeaning(srgb_intent=_INTENTS.get(intent, 0))
    if kind == _EMBEDDED and is_fifth:
        start, size = struct.unpack("<II", info[112:120])
        stream.seek(_FILE_HEADER + start)
        profile = stream.read(min(size, _LARGEST_PROFILE))
        return ColourMeaning(icc_profile=profile or None)
    return _calibrated(info) if kind == _CALIBRATED else UNSAID


def _calibrated(info: bytes) -> ColourMeaning:
    """Translate the colours of the primaries (2.30 fixed point) and the gamma (16.16)."""
    numbers = struct.unpack("<9i", info[60:96])
    corners = [numbers[i : i + 3] for i in (0, 3, 6)]
    red, green, blue = struct.unpack("<3I", info[96:108])
    # Most programs leave zeros, and mean nothing by them.
    if any(min(corner) < 0 or sum(corner) == 0 for corner in corners) or red == 0:
        return UNSAID
    white = tuple(map(sum, zip(*corners, strict=True)))
    chromaticities = [
        round(100_000 * value / sum(corner)) for corner in (white, *corners) for value in corner[:2]
    ]
    gamma = (red + green + blue) / 3 / 65536
    return ColourMeaning(gamma=round(100_000 / gamma), chromaticities=tuple(chromaticities))
