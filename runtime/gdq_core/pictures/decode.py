"""Reads picture files row by row; a file is somebody else's and not believed.

Bounded memory needs a format that is stored in rows: PNG, baseline JPEG, BMP, TIFF in strips or
tiles. Interlaced PNG, progressive JPEG, run-length coded BMP and WebP can only be decoded whole,
and so is every picture with an EXIF orientation other than "upright", because its rows may be
columns.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import numpy as np

from gdq_core.errors import ImageError
from gdq_core.pictures.colour.meaning import ColourMeaning
from gdq_core.pictures.decoders.base import Decoder
from gdq_core.pictures.decoders.bmp import BmpDecoder
from gdq_core.pictures.decoders.library import LibraryDecoder
from gdq_core.pictures.limits import check_size
from gdq_core.pictures.rows import Rows

_SIGNATURES = {
    "png": (b"\x89PNG\r\n\x1a\n",),
    "jpeg": (b"\xff\xd8\xff",),
    "tiff": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "bmp": (b"BM",),
    "webp": (b"RIFF",),
}


class PictureReader:
    """A picture file as a source of rows.

    Attributes:
        width: pixels, after the orientation was applied.
        height: pixels, likewise.
        channels: 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha.
        meaning: what the samples mean, as far as the file says it.
        notes: sentences on what was changed or left out.

    """

    def __init__(self, path: str | Path) -> None:
        """Open a picture and check from its header alone that it can and should be read.

        Raises:
            ImageError: no picture, damaged, of a refused kind, or a decompression bomb.

        """
        self._path = Path(path)
        size = _file_size(self._path)
        self._decoder = _open(self._path, size)
        try:
            self._decoder.check_kind()
            check_size(self._path, self._decoder.width, self._decoder.height, size)
        except BaseException:
            self.close()
            raise
        self._next = 0
        self._upright: Rows | None = None
        self.width, self.height = self._decoder.width, self._decoder.height
        if self._decoder.orientation in (5, 6, 7, 8):
            self.width, self.height = self.height, self.width
        self.channels: int = self._decoder.channels
        self.meaning: ColourMeaning = self._decoder.meaning
        self.notes = list(self._decoder.notes)
        if self._decoder.orientation in range(2, 9):
            self.notes.append("turned upright as EXIF says, for which it was decoded whole")

    def read_rows(self, count: int) -> Rows:
        """See ``RowSource.read_rows``."""
        start, self._next = self._next, self._next + count
        try:
            if self._decoder.orientation not in range(2, 9):
                return self._decoder.decode(start, count)
            if self._upright is None:
                stored = self._decoder.decode(0, self._decoder.height)
                self._upright = apply_orientation(stored, self._decoder.orientation)
        except MemoryError as error:
            raise ImageError(f"{self._path} does not fit into memory") from error
        return self._upright[start : start + count]

    def close(self) -> None:
        """Close the file."""
        self._upright = None
        self._decoder.close()

    def __enter__(self) -> PictureReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def apply_orientation(image: Rows, orientation: int) -> Rows:
    """Turn a stored picture upright.

    Args:
        image: (height, width, channels) as stored.
        orientation: EXIF tag 0x0112, 1..8: where the stored first row and first column belong
            (EXIF 2.32, table 4); other values leave the picture as it is.

    """
    if orientation in (5, 6, 7, 8):
        image = image.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    return np.ascontiguousarray(image)


def _open(path: Path, size: int) -> Decoder:
    format_name = _detect_format(path)
    try:
        return BmpDecoder(path, size) if format_name == "bmp" else LibraryDecoder(path, format_name)
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {error.strerror}") from error


def _file_size(path: Path) -> int:
    try:
        if path.is_dir():
            raise ImageError(f"{path} is a folder, not a picture")
        # Anything else that is no file (a pipe, a device) may block for ever or never end.
        if not path.is_file():
            raise ImageError(f"{path} is not a file")
        return path.stat().st_size
    except (OSError, ValueError) as error:
        raise ImageError(f"{path} cannot be read: {error}") from error


def _detect_format(path: Path) -> str:
    """Name the format by its first bytes; OpenImageIO alone would try dozens of decoders."""
    try:
        with path.open("rb") as stream:
            head = stream.read(12)
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {error.strerror}") from error
    for name, signatures in _SIGNATURES.items():
        if head.startswith(signatures) and (name != "webp" or head[8:] == b"WEBP"):
            return name
    reason = "it is empty" if not head else "it is none of PNG, JPEG, TIFF, BMP, WebP"
    raise ImageError(f"{path} is not a picture: {reason}")
