"""ICC profiles: checked before they are stored, and made for formats that know nothing else.

Made profiles are "matrix/TRC" and "gray TRC" display profiles (ICC.1:2001-04, 6.3.1): what a
transfer function and four chromaticities say, exactly, in the words that every format can hold.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from gdq_core.pictures.colour.meaning import SRGB_CHROMATICITIES, ColourMeaning

_HEADER = 128
_CURVE_POINTS = 1024
_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_D65 = (31270, 32900)
# ITU-T H.273, tables 2 and 3: what can be said with three primaries and one curve. PQ (16) and
# HLG (18) refer to the brightness of a display, which such a profile cannot.
_PRIMARIES = {
    1: SRGB_CHROMATICITIES,
    5: (*_D65, 64000, 33000, 29000, 60000, 15000, 6000),
    6: (*_D65, 63000, 34000, 31000, 59500, 15500, 7000),
    9: (*_D65, 70800, 29200, 17000, 79700, 13100, 4600),
    12: (*_D65, 68000, 32000, 26500, 69000, 15000, 6000),
}
_SRGB_TRANSFER = 13


def is_whole(profile: bytes) -> bool:
    """Tell whether a profile has a header, and all tags that it lists."""
    if len(profile) < _HEADER + 4 or profile[36:40] != b"acsp":
        return False
    size, tags = struct.unpack(">I", profile[:4])[0], struct.unpack(">I", profile[128:132])[0]
    if size != len(profile) or _HEADER + 4 + 12 * tags > size:
        return False
    for place in range(_HEADER + 4, _HEADER + 4 + 12 * tags, 12):
        start, length = struct.unpack(">II", profile[place + 4 : place + 12])
        if start + length > size:
            return False
    return True


def is_for(profile: bytes, channels: int) -> bool:
    """Tell whether a profile is for pictures of so many channels, of which up to 2 are gray."""
    return profile[16:20] == (b"GRAY" if channels < 3 else b"RGB ")


def keep_tones(profile: bytes) -> bytes | None:
    """Return a profile for gray pictures with the tone curve of one for RGB pictures.

    Args:
        profile: whole, see ``is_whole``.

    Returns:
        None if it has no curve: its colours are a table.

    """
    (tags,) = struct.unpack(">I", profile[128:132])
    for place in range(_HEADER + 4, _HEADER + 4 + 12 * tags, 12):
        name, start, length = struct.unpack(">4sII", profile[place : place + 12])
        if name == b"gTRC":  # a gray sample is equally red, green and blue
            curve = profile[start : start + length]
            return _assemble(b"GRAY", {b"wtpt": _xyz(_D50), b"kTRC": curve})
    return None


def describe(meaning: ColourMeaning, channels: int) -> bytes | None:
    """Return a profile that says what a picture means by cICP, or by gAMA and cHRM.

    Args:
        meaning: of the picture.
        channels: of the picture: up to 2 are gray.

    Returns:
        None if no profile of this simple kind can say it.

    """
    corners = meaning.chromaticities or SRGB_CHROMATICITIES
    if meaning.cicp is None:
        light = _power(meaning.gamma)
    else:
        primaries, transfer, _, full_range = meaning.cicp
        if primaries not in _PRIMARIES or not full_range:
            return None
        corners, light = _PRIMARIES[primaries], _light_of(transfer)
    if light is None:
        return None
    curve = _curve(light)
    if channels < 3:
        return _assemble(b"GRAY", {b"wtpt": _xyz(_D50), b"kTRC": curve})
    matrix = _primaries_to_d50(np.array(corners, dtype=np.float64) / 100_000)
    if matrix is None:
        return None
    columns = {name: _xyz(matrix[:, i]) for i, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))}
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    return _assemble(b"RGB ", {b"wtpt": _xyz(_D50), **columns, **curves})


def _power(gamma: int | None) -> NDArray[np.float64] | None:
    """Return the light of samples that were encoded with gAMA; None stands for sRGB's."""
    if gamma is None:
        return _light_of(_SRGB_TRANSFER)
    return np.linspace(0, 1, _CURVE_POINTS) ** (100_000 / gamma) if gamma > 0 else None


def _light_of(transfer: int) -> NDArray[np.float64] | None:
    """Return the light of evenly spaced samples for a transfer function of H.273, table 3."""
    samples = np.linspace(0, 1, _CURVE_POINTS)
    if transfer == _SRGB_TRANSFER:  # IEC 61966-2-1
        return np.where(samples <= 0.04045, samples / 12.92, ((samples + 0.055) / 1.055) ** 2.4)
    if transfer in (1, 6, 14, 15):  # BT.709, 601 and 2020
        return np.where(samples < 0.081, samples / 4.5, ((samples + 0.099) / 1.099) ** (1 / 0.45))
    powers = {4: 2.2, 5: 2.8, 8: 1.0}
    return samples ** powers[transfer] if transfer in powers else None


def _primaries_to_d50(corners: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return the matrix from linear RGB to XYZ, its white adapted to D50 after Bradford.

    Args:
        corners: (8,), x and y of white, red, green and blue.

    """
    x, y = corners[0::2], corners[1::2]
    if (y <= 0).any():
        return None
    white, *primaries = np.stack([x / y, np.ones(4), (1 - x - y) / y], axis=1)
    columns = np.stack(primaries, axis=1)
    if abs(np.linalg.det(columns)) < 1e-6:
        return None
    cones = _BRADFORD @ white
    if (cones <= 0).any():
        return None
    adapt = np.linalg.inv(_BRADFORD) @ np.diag(_BRADFORD @ _D50 / cones) @ _BRADFORD
    matrix: NDArray[np.float64] = adapt @ (columns * np.linalg.solve(columns, white))
    return matrix if np.abs(matrix).max() < 1 << 15 else None


def _assemble(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    text = b"made from the picture's own description"
    description = b"desc\0\0\0\0" + struct.pack(">I", len(text) + 1) + text + bytes(79)
    tags = {b"desc": description, b"cprt": b"text\0\0\0\0no copyright\0", **tags}
    start = _HEADER + 4 + 12 * len(tags)
    table, body, places = b"", b"", dict[bytes, int]()
    for name, data in tags.items():
        if data not in places:
            places[data] = start + len(body)
            body += data + bytes(-len(data) % 4)
        table += name + struct.pack(">II", places[data], len(data))
    size = start + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"\0\0\0\0", 0x02100000, b"mntr", space, b"XYZ ")
    date = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)  # always the same: equal pictures, equal files
    white = _xyz(_D50)[8:]
    header = head + date + b"acsp" + bytes(28) + white
    return header.ljust(_HEADER, b"\0") + struct.pack(">I", len(tags)) + table + body


def _xyz(values: NDArray[np.float64]) -> bytes:
    return b"XYZ \0\0\0\0" + np.rint(values * 65536).astype(">i4").tobytes()


def _curve(light: NDArray[np.float64]) -> bytes:
    levels = np.rint(light * 65535).astype(">u2")
    return b"curv\0\0\0\0" + struct.pack(">I", len(levels)) + levels.tobytes()
