"""Reads picture files row by row with OpenImageIO; a file is somebody else's and not believed.

Bounded memory needs a format that is stored in rows: PNG, baseline JPEG, BMP, TIFF in strips or
tiles. Interlaced PNG, progressive JPEG and WebP can only be decoded whole, and so is every picture
with an EXIF orientation other than "upright", because its rows may be columns.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import numpy as np
import OpenImageIO
from numpy.typing import NDArray

from gdq_core.errors import ImageError
from gdq_core.pictures.rows import Rows, has_alpha

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
"""File names that are taken for pictures when a folder is read."""

MAX_SIDE = 1 << 20
MAX_PIXELS = 1 << 31
"""What one run may be asked to do; the largest published photographs have a tenth of it."""

BOMB_FLOOR = 1 << 27
BOMB_PIXELS_PER_BYTE = 200
"""Above the floor, a file that claims more pixels per byte than this is taken for a bomb.

Photographs have fewer than 50 pixels per byte; an all-black PNG has 340 (RGB) to 1000 (gray).
"""

_SIGNATURES = {
    "png": (b"\x89PNG\r\n\x1a\n",),
    "jpeg": (b"\xff\xd8\xff",),
    "tiff": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "bmp": (b"BM",),
    "webp": (b"RIFF",),
}
# libjpeg calls this corrupt, yet some cameras write it and no pixel suffers.
_HARMLESS = "extraneous bytes before marker"

# One thread decodes; the tiles' workers have the processor. Our own limits are the ones that count.
OpenImageIO.attribute("threads", 1)
OpenImageIO.attribute("limits:imagesize_MB", MAX_PIXELS * 8 >> 20)


class PictureReader:
    """A picture file as a source of rows.

    Attributes:
        width: pixels, after the orientation was applied.
        height: pixels, likewise.
        channels: 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha.
        icc_profile: the colour profile as stored, which the pixels still need; None if none.
        notes: sentences on what was changed or left out.

    """

    def __init__(self, path: str | Path) -> None:
        """Open a picture and check from its header alone that it can and should be read.

        Raises:
            ImageError: no picture, damaged, of a refused kind, or a decompression bomb.

        """
        self._path = Path(path)
        size = _file_size(self._path)
        self._format = _detect_format(self._path)
        self._input = self._open()
        spec = self._input.spec()
        self._orientation = spec.get_int_attribute("Orientation", 1)
        self._top = spec.y  # TIFF may place its picture on a larger page
        self._tile_height: int = spec.tile_height  # 0 unless it is a TIFF in tiles
        self._ahead = np.empty((0, spec.width, spec.nchannels), dtype=np.uint8)
        self._next = 0
        self._upright: Rows | None = None
        self.notes: list[str] = []
        self.channels: int = spec.nchannels
        self.icc_profile = _icc_profile(spec)
        try:
            self._check_kind(spec)
            self._check_size(spec.width, spec.height, size)
            self._check_complaints()  # a progressive JPEG shows here that it is cut
        except ImageError:
            self.close()
            raise
        self.width, self.height = spec.width, spec.height
        if self._orientation in (5, 6, 7, 8):
            self.width, self.height = spec.height, spec.width
        self._describe(spec)

    def read_rows(self, count: int) -> Rows:
        """See ``RowSource.read_rows``."""
        start, self._next = self._next, self._next + count
        if self._orientation in (0, 1):
            return self._decode(start, count)
        if self._upright is None:
            spec = self._input.spec()
            self._upright = apply_orientation(self._decode(0, spec.height), self._orientation)
        return self._upright[start : start + count]

    def close(self) -> None:
        """Close the file."""
        self._upright = None
        self._input.close()

    def __enter__(self) -> PictureReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open(self) -> OpenImageIO.ImageInput:
        wish = OpenImageIO.ImageSpec()
        wish.attribute("oiio:UnassociatedAlpha", 1)
        try:
            opened = OpenImageIO.ImageInput.open(str(self._path), wish)
        except TypeError as error:  # a name that is no text in the file system's encoding
            raise ImageError(f"{self._path} cannot be opened: its name is not valid") from error
        if opened is None:
            raise ImageError(f"{self._path} cannot be read: {_first_line(OpenImageIO.geterror())}")
        if opened.format_name() != self._format:
            opened.close()
            raise ImageError(f"{self._path} is damaged: it only begins like a {self._format} file")
        return opened

    def _check_kind(self, spec: OpenImageIO.ImageSpec) -> None:
        for name in ("jpeg:ColorSpace", "tiff:ColorSpace"):
            colours = spec.get_string_attribute(name)
            if colours in ("palette", "YCbCr", ""):  # these come as RGB
                continue
            raise ImageError(f"{self._path} has {colours} colours: convert it to RGB first")
        if str(spec.format) not in ("uint8", "uint16"):
            raise ImageError(
                f"{self._path} has {spec.format} samples; pictures of 8 or 16 bits are taken"
            )
        alpha = spec.nchannels - 1 if has_alpha(spec.nchannels) else -1
        if spec.depth != 1 or not 1 <= spec.nchannels <= 4 or spec.alpha_channel != alpha:
            raise ImageError(
                f"{self._path} has {spec.nchannels} channels {', '.join(spec.channelnames)}; "
                "gray or RGB, with or without alpha, is taken"
            )
        straight = spec.get_int_attribute("oiio:UnassociatedAlpha", 0) == 1
        if self._format == "tiff" and alpha >= 0 and not straight:
            raise ImageError(
                f"{self._path} has its transparency multiplied into its colours: "
                "save it with straight (unassociated) alpha"
            )

    def _check_size(self, width: int, height: int, size: int) -> None:
        pixels = width * height
        if max(width, height) > MAX_SIDE or pixels > MAX_PIXELS:
            raise ImageError(
                f"{self._path} claims {width}x{height} pixels; at most {MAX_SIDE} per side and "
                f"{MAX_PIXELS} in all are taken"
            )
        if pixels > BOMB_FLOOR and pixels > size * BOMB_PIXELS_PER_BYTE:
            raise ImageError(
                f"{self._path} claims {width}x{height} pixels in only {size} bytes, like a "
                "decompression bomb: if it is a true picture, save it without compression"
            )

    def _describe(self, spec: OpenImageIO.ImageSpec) -> None:
        if str(spec.format) == "uint16":
            self.notes.append("16 bits per sample rounded to 8")
        if self._orientation not in (0, 1):
            self.notes.append("turned upright as EXIF says, for which it was decoded whole")
        if self._format == "tiff":
            if self._input.seek_subimage(1, 0):
                self.notes.append("only the first of several pictures in the file")
            self._input.seek_subimage(0, 0)
            self._input.geterror()  # that there is no second picture is no error of the first

    def _decode(self, start: int, count: int) -> Rows:
        try:
            if self._tile_height:
                return self._decode_tiles(start, count)
            top = self._top + start
            return self._check(
                self._input.read_scanlines(
                    0, 0, top, top + count, 0, 0, self.channels, OpenImageIO.UINT8
                )
            )
        except MemoryError as error:
            raise ImageError(f"{self._path} does not fit into memory") from error

    def _decode_tiles(self, start: int, count: int) -> Rows:
        """Decode rows of tiles until there are enough, and keep what is left of the last."""
        while len(self._ahead) < count:
            spec = self._input.spec()
            top = spec.y + start + len(self._ahead)
            bottom = min(top + self._tile_height, spec.y + spec.height)
            across = (spec.x, spec.x + spec.width)
            rows = self._input.read_tiles(
                0, 0, *across, top, bottom, 0, 1, 0, self.channels, OpenImageIO.UINT8
            )
            self._ahead = np.concatenate([self._ahead, self._check(rows)])
        rows, self._ahead = self._ahead[:count], self._ahead[count:]
        return rows

    def _check(self, rows: Rows | None) -> Rows:
        self._check_complaints()
        if rows is None:
            raise ImageError(f"{self._path} is damaged or truncated")
        return rows

    def _check_complaints(self) -> None:
        """Refuse what the decoder complains of, even if it made up some pixels."""
        complaint = self._input.geterror() if self._input.has_error else ""
        if complaint and _HARMLESS not in complaint:
            raise ImageError(f"{self._path} is damaged or truncated: {_first_line(complaint)}")


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
            if name == "png" and not _png_is_complete(path):
                raise ImageError(f"{path} is truncated: its end is missing")
            return name
    reason = "it is empty" if not head else "it is none of PNG, JPEG, TIFF, BMP, WebP"
    raise ImageError(f"{path} is not a picture: {reason}")


def _png_is_complete(path: Path) -> bool:
    """Walk the chunks to the last, so that a cut file is found before hours of work, not after."""
    with path.open("rb") as stream:
        stream.seek(8)
        while len(header := stream.read(8)) == 8:
            if header[4:] == b"IEND":
                return True
            stream.seek(int.from_bytes(header[:4], "big") + 4, 1)
    return False


def _icc_profile(spec: OpenImageIO.ImageSpec) -> bytes | None:
    profile: NDArray[np.uint8] | None = spec.getattribute("ICCProfile")
    return None if profile is None else bytes(profile)


def _first_line(message: str) -> str:
    return message.split("\n", 1)[0][:200] or "no reason is given"
