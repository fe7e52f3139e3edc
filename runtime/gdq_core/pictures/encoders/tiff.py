"""TIFF by OpenImageIO, straight into the file."""

from __future__ import annotations

from pathlib import Path

import OpenImageIO

from gdq_core.errors import OutputError
from gdq_core.pictures.encoders.base import PictureHeader
from gdq_core.pictures.rows import Rows, has_alpha

# Deflate takes five times as long. The empty Exif directory is a false alarm on close.
_ATTRIBUTES = {"compression": "lzw", "tiff:write_exif": 0}
_CLASSIC_LIMIT = 3 << 30


class TiffEncoder:
    """LZW, in strips; BigTIFF where the classic format would be too small."""

    def __init__(self, path: Path, header: PictureHeader) -> None:
        """Open the file.

        Raises:
            OSError: the system refuses.
            OutputError: the library does.

        """
        writer = OpenImageIO.ImageOutput.create("tiff")
        assert writer is not None, "OpenImageIO was built without TIFF"
        self._path, self._height = path, header.height
        self._writer = writer
        self._next = 0
        try:
            opened = writer.open(str(path), _specify(header))
        except TypeError as error:
            raise OutputError("its name is not valid") from error
        if not opened:
            raise OutputError(self._complaint())

    def write_rows(self, rows: Rows) -> None:
        """See ``Encoder.write_rows``."""
        end = self._next + len(rows)
        if not self._writer.write_scanlines(self._next, end, 0, rows) or self._writer.has_error:
            raise OutputError(self._complaint())
        self._next = end

    def finish(self) -> None:
        """See ``Encoder.finish``; a full disk may show only in what is read back."""
        if not self._writer.close() or self._writer.has_error:
            raise OutputError(self._complaint())
        if complaint := _read_back(self._path, self._height):
            raise OutputError(complaint)

    def release(self) -> None:
        """See ``Encoder.release``."""
        self._writer.close()
        self._writer.geterror()

    def _complaint(self) -> str:
        return _first_line(self._writer.geterror()) or "no reason is given"


def _specify(header: PictureHeader) -> OpenImageIO.ImageSpec:
    spec = OpenImageIO.ImageSpec(header.width, header.height, header.channels, OpenImageIO.UINT8)
    if has_alpha(header.channels):
        spec.channelnames = ("Y", "A") if header.channels == 2 else ("R", "G", "B", "A")
        spec.alpha_channel = header.channels - 1
        spec.attribute("oiio:UnassociatedAlpha", 1)
    for name, value in _ATTRIBUTES.items():
        spec.attribute(name, value)
    if header.width * header.height * header.channels > _CLASSIC_LIMIT:
        spec.attribute("tiff:bigtiff", 1)
    if (profile := header.meaning.icc_profile) is not None:
        spec.attribute("ICCProfile", OpenImageIO.TypeDesc(f"uint8[{len(profile)}]"), profile)
    return spec


def _read_back(path: Path, height: int) -> str:
    """Read the directory and the last row, which a full disk takes first; "" if they are there."""
    written = OpenImageIO.ImageInput.open(str(path))
    if written is None:
        return _first_line(OpenImageIO.geterror())
    row = written.read_scanline(height - 1, 0, OpenImageIO.UINT8)
    complaint = _first_line(written.geterror())
    written.close()
    return "" if row is not None else complaint


def _first_line(message: object) -> str:
    return str(message).split("\n", 1)[0][:200]
