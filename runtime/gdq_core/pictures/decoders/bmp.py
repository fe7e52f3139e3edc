"""Windows and OS/2 bitmaps, by the letter of their headers.

The libraries at hand do not honour them: OpenImageIO takes the unused fourth byte of 32-bit pixels
for alpha and knows no channel masks, OpenCV and Pillow take a few masks only. Rows of a bitmap are
plain memory, which NumPy reads in a few lines.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from gdq_core.errors import ImageError
from gdq_core.pictures.colour.meaning import UNSAID, ColourMeaning
from gdq_core.pictures.decoders.bmp_colour import meaning_of
from gdq_core.pictures.decoders.bmp_run_length import unpack_runs
from gdq_core.pictures.rows import Rows

_FILE_HEADER = 14
_CORE = 12
_HEADERS = (_CORE, 40, 52, 56, 64, 108, 124)
_OS2 = 64
_RGB, _RLE8, _RLE4, _MASKS, _MASKS_WITH_ALPHA = 0, 1, 2, 3, 6
_DEPTHS = {
    _RGB: (1, 2, 4, 8, 16, 24, 32),
    _RLE8: (8,),
    _RLE4: (4,),
    _MASKS: (16, 24, 32),
    _MASKS_WITH_ALPHA: (16, 24, 32),
}
_555 = (0x7C00, 0x03E0, 0x001F)
_888 = (0xFF0000, 0xFF00, 0xFF)


@dataclass(frozen=True)
class _Header:
    """What stands before the pixels, checked."""

    width: int
    height: int
    is_top_down: bool
    depth: int
    compression: int
    masks: tuple[int, ...]
    """Of red, green, blue and, if there is any, alpha; empty if the pixels are indices."""
    palette: NDArray[np.uint8]
    """(2**depth, 3) RGB, black where the file has no entry; empty if the pixels are colours."""
    offset: int
    """Of the pixels in the file."""
    meaning: ColourMeaning

    @property
    def row_bytes(self) -> int:
        """Distance of two rows in the file: whole groups of four bytes."""
        return (self.width * self.depth + 31) // 32 * 4


class BmpDecoder:
    """See ``Decoder``; uncompressed bitmaps are read row by row, run-length coded ones whole."""

    def __init__(self, path: Path, size: int) -> None:
        """Open a bitmap and read its header.

        Raises:
            ImageError: damaged, or of a kind that is refused.

        """
        self._path, self._size = path, size
        self.notes: list[str] = []
        self._indices: Rows | None = None
        self._stream: BinaryIO = path.open("rb")
        try:
            self._header = _read_header(self._stream, path)
        except BaseException:
            self._stream.close()
            raise
        self.width, self.height = self._header.width, self._header.height
        self.orientation, self.meaning = 1, self._header.meaning
        if len(self._header.masks):
            self.channels = len(self._header.masks)
        else:
            self.channels = 1 if (np.ptp(self._header.palette, axis=1) == 0).all() else 3

    def check_kind(self) -> None:
        """See ``Decoder.check_kind``."""
        if self._header.compression in (_RLE8, _RLE4):
            return
        last = (self.width * self._header.depth + 7) // 8  # the last row may lack its padding
        need = self._header.offset + self._header.row_bytes * (self.height - 1) + last
        if need > self._size:
            raise ImageError(
                f"{self._path} is damaged or truncated: {need - self._size} bytes are missing"
            )

    def decode(self, start: int, count: int) -> Rows:
        """See ``Decoder.decode``."""
        if self._header.compression in (_RLE8, _RLE4):
            return self._colour(self._unpacked()[start : start + count])
        first = start if self._header.is_top_down else self.height - start - count
        length = self._header.row_bytes * count
        self._stream.seek(self._header.offset + self._header.row_bytes * first)
        data = np.frombuffer(self._stream.read(length).ljust(length, b"\0"), dtype=np.uint8)
        stored = data.reshape(count, self._header.row_bytes)
        stored = stored if self._header.is_top_down else stored[::-1]
        if self._header.masks:
            return _apply_masks(stored, self.width, self._header.depth, self._header.masks)
        return self._colour(_unpack_indices(stored, self.width, self._header.depth))

    def close(self) -> None:
        """See ``Decoder.close``."""
        self._indices = None
        self._stream.close()

    def _unpacked(self) -> Rows:
        if self._indices is None:
            self._stream.seek(self._header.offset)
            nibbles = self._header.compression == _RLE4
            unpacked = unpack_runs(self._stream.read(), self.width, self.height, nibbles=nibbles)
            if unpacked is None:
                raise ImageError(f"{self._path} is damaged or truncated: its runs end too early")
            self._indices = unpacked[::-1]
        return self._indices

    def _colour(self, indices: Rows) -> Rows:
        colours: Rows = self._header.palette[indices]
        return np.ascontiguousarray(colours[..., : self.channels])


def _read_header(stream: BinaryIO, path: Path) -> _Header:
    head = stream.read(_FILE_HEADER + 124)
    if len(head) < _FILE_HEADER + _CORE:
        raise ImageError(f"{path} is damaged or truncated: it ends within its header")
    offset, size = struct.unpack("<II", head[10:18])
    if size not in _HEADERS:
        raise ImageError(f"{path} is a bitmap with a header of {size} bytes, which is unknown")
    info = head[_FILE_HEADER : _FILE_HEADER + size]
    if len(info) < size:
        raise ImageError(f"{path} is damaged or truncated: it ends within its header")
    compression, used = _RGB, 0
    if size == _CORE:
        width, height, _, depth = struct.unpack("<4H", info[4:12])
    else:
        width, height, _, depth, compression = struct.unpack("<iiHHI", info[4:20])
        (used,) = struct.unpack("<I", info[32:36])
    _check(path, width, height, depth, compression, size)
    behind = _FILE_HEADER + size
    masks = _masks(info, head[behind:], depth, compression)
    if size == 40 and compression in (_MASKS, _MASKS_WITH_ALPHA):
        behind += 12 if compression == _MASKS else 16
    _check_masks(path, masks)
    palette = np.zeros((0, 3), dtype=np.uint8)
    if depth <= 8:
        stream.seek(behind)
        entry = 3 if size == _CORE else 4
        entries = min(used or 1 << depth, 1 << depth, max(offset - behind, 0) // entry)
        palette = np.zeros((1 << depth, 3), dtype=np.uint8)
        stored = np.frombuffer(stream.read(entries * entry), dtype=np.uint8)
        stored = stored[: len(stored) // entry * entry].reshape(-1, entry)
        palette[: len(stored)] = stored[:, 2::-1]
    meaning = meaning_of(info, stream) if size >= 108 else UNSAID
    return _Header(
        width, abs(height), height < 0, depth, compression, masks, palette, offset, meaning
    )


def _check(path: Path, width: int, height: int, depth: int, compression: int, size: int) -> None:
    if width < 1 or height == 0:
        raise ImageError(f"{path} is damaged: it claims {width}x{height} pixels")
    names = {4: "JPEG", 5: "PNG"}
    is_os2_code = size == _OS2 and compression >= _MASKS
    if compression not in _DEPTHS or is_os2_code:
        name = names.get(compression, f"compression {compression}")
        raise ImageError(f"{path} is a bitmap with {name} inside: save it without compression")
    if depth not in _DEPTHS[compression]:
        raise ImageError(
            f"{path} is damaged: bitmaps of this kind do not have {depth} bits per pixel"
        )
    if height < 0 and compression in (_RLE8, _RLE4):
        raise ImageError(f"{path} is damaged: run-length coded rows cannot run from top to bottom")


def _masks(info: bytes, behind: bytes, depth: int, compression: int) -> tuple[int, ...]:
    """Return the masks of red, green and blue, and of alpha if the file has one."""
    if depth <= 8:
        return ()
    if compression == _RGB:  # a fourth byte is unused, whatever the header says of alpha
        return _555 if depth == 16 else _888
    count = 4 if compression == _MASKS_WITH_ALPHA or len(info) >= 56 else 3
    stored = (info + behind)[40 : 40 + 4 * count].ljust(4 * count, b"\0")
    masks = struct.unpack(f"<{count}I", stored)
    return masks if masks[3:] != (0,) else masks[:3]


def _check_masks(path: Path, masks: tuple[int, ...]) -> None:
    if masks and not any(masks[:3]):
        raise ImageError(f"{path} is damaged: its channel masks are empty")
    for mask in masks:
        run = mask // (mask & -mask) if mask else 0
        if run & (run + 1):
            raise ImageError(
                f"{path} has a channel mask with holes, {mask:#010x}: save it with another program"
            )


def _apply_masks(stored: Rows, width: int, depth: int, masks: tuple[int, ...]) -> Rows:
    """Return (rows, width, channels) of stored rows of 16, 24 or 32 bits per pixel."""
    size = depth // 8
    parts = stored[:, : width * size].reshape(len(stored), width, size)
    if depth > 16 and masks == _888:
        return np.ascontiguousarray(parts[..., 2::-1])
    pixels = np.zeros(parts.shape[:2], dtype=np.uint32)
    for place in range(size):
        pixels |= parts[..., place].astype(np.uint32) << np.uint32(8 * place)
    return np.stack([_extract(pixels, mask) for mask in masks], axis=-1)


def _extract(pixels: NDArray[np.uint32], mask: int) -> NDArray[np.uint8]:
    """Return what a mask selects, stretched to 0..255 and rounded."""
    if mask == 0:
        return np.zeros(pixels.shape, dtype=np.uint8)
    lowest = mask & -mask
    largest = mask // lowest
    values = (pixels & np.uint32(mask)) // np.uint32(lowest)
    if largest == 255:
        return values.astype(np.uint8)
    stretched: NDArray[np.uint8] = np.rint(values * (255 / largest)).astype(np.uint8)
    return stretched


def _unpack_indices(stored: Rows, width: int, depth: int) -> Rows:
    """Return (rows, width) palette indices of stored rows of 1 to 8 bits per pixel."""
    if depth == 8:
        return stored[:, :width]
    shifts = np.arange(8 - depth, -1, -depth, dtype=np.uint8)
    indices = (stored[..., np.newaxis] >> shifts) & np.uint8((1 << depth) - 1)
    unpacked: Rows = indices.reshape(len(stored), -1)[:, :width]
    return unpacked
