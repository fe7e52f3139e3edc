"""JPEG in strips: each is encoded by OpenCV on its own, and the strips are joined to one file.

libjpeg ends the process when the disk is full, and other writers want the whole picture in
memory. But a JPEG may restart its entropy coding every so many blocks (ITU-T T.81, B.2.4.4): what
lies between two restart markers is exactly what the scan of a strip on its own consists of, so
the joined file has the samples that the picture encoded at once would have.
"""

from __future__ import annotations

import struct
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np

from gdq_core.pictures.encoders.base import PictureHeader
from gdq_core.pictures.rows import Rows

_QUALITY = 95
_FULL_CHROMA = 0x111111  # 4:4:4
_STRIP = 64
"""Rows; at most 65,535 blocks of 8x8 fit between two markers: 64 rows of 65,500 pixels do."""

_START, _END = b"\xff\xd8", b"\xff\xd9"
_APP0, _APP2, _FRAME, _SCAN, _INTERVAL = 0xE0, 0xE2, 0xC0, 0xDA, 0xDD
_PROFILE_NAME = b"ICC_PROFILE\0"
_PROFILE_PART = 65_533 - len(_PROFILE_NAME) - 2
LARGEST_PROFILE = 255 * _PROFILE_PART
"""Bytes; a profile is spread over at most 255 segments (ICC.1:2001-04, B.4)."""


class JpegEncoder:
    """Baseline JPEG of quality 95, with as much colour as brightness (4:4:4)."""

    def __init__(self, path: Path, header: PictureHeader) -> None:
        """Open the file; its header is written with the first strip.

        Raises:
            OSError: the system refuses.

        """
        self._header = header
        self._stream: BinaryIO = path.open("wb")
        shape = (min(_STRIP, header.height), header.width, header.channels)
        self._strip = np.empty(shape, dtype=np.uint8)
        self._filled = 0
        self._strips = 0

    def write_rows(self, rows: Rows) -> None:
        """See ``Encoder.write_rows``."""
        while len(rows):
            some = rows[: len(self._strip) - self._filled]
            self._strip[self._filled : self._filled + len(some)] = some
            self._filled += len(some)
            rows = rows[len(some) :]
            if self._filled == len(self._strip):
                self._write_strip()

    def finish(self) -> None:
        """See ``Encoder.finish``."""
        if self._filled:
            self._write_strip()
        self._stream.write(_END)
        self._stream.close()

    def release(self) -> None:
        """See ``Encoder.release``."""
        with suppress(OSError):
            self._stream.close()

    def _write_strip(self) -> None:
        head, scan = _split(_encode(self._strip[: self._filled]))
        if self._strips == 0:
            self._write_head(head)
        else:
            self._stream.write(bytes([0xFF, 0xD0 + (self._strips - 1) % 8]))
        self._stream.write(scan)
        self._strips += 1
        self._filled = 0

    def _write_head(self, segments: list[tuple[int, bytes]]) -> None:
        """Write the first strip's head as that of the whole picture."""
        self._stream.write(_START)
        for marker, data in segments:
            if marker == _FRAME:  # precision, height, width, components
                data = data[:1] + struct.pack(">H", self._header.height) + data[3:]
            if marker == _SCAN:
                blocks = -(-self._header.width // 8) * (_STRIP // 8)
                self._write_segment(_INTERVAL, struct.pack(">H", blocks))
            self._write_segment(marker, data)
            if marker == _APP0:
                self._write_profile(self._header.meaning.icc_profile or b"")

    def _write_profile(self, profile: bytes) -> None:
        parts = [profile[i : i + _PROFILE_PART] for i in range(0, len(profile), _PROFILE_PART)]
        for number, part in enumerate(parts, start=1):
            self._write_segment(_APP2, _PROFILE_NAME + bytes([number, len(parts)]) + part)

    def _write_segment(self, marker: int, data: bytes) -> None:
        self._stream.write(bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data)


def _encode(rows: Rows) -> bytes:
    settings = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, _FULL_CHROMA]
    encoded, content = cv2.imencode(
        ".jpg", rows[..., ::-1] if rows.shape[2] == 3 else rows, settings
    )
    assert encoded, "OpenCV was built without JPEG"
    return bytes(content.data)


def _split(content: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """Split a file into its segments, by marker, up to that of the scan, and the scan's data."""
    segments: list[tuple[int, bytes]] = []
    place = len(_START)
    while not segments or segments[-1][0] != _SCAN:
        marker, length = struct.unpack(">xBH", content[place : place + 4])
        segments.append((marker, content[place + 4 : place + 2 + length]))
        place += 2 + length
    return segments, content[place : -len(_END)]
