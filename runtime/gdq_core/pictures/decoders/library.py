"""PNG, JPEG, TIFF and WebP, decoded by OpenImageIO."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NoReturn

import numpy as np
import OpenImageIO
from numpy.typing import NDArray

from gdq_core.errors import ImageError
from gdq_core.pictures.colour.meaning import ColourMeaning
from gdq_core.pictures.decoders.png_chunks import count_frames, meaning_of, read_chunks
from gdq_core.pictures.decoders.tiff_directory import (
    BITS_PER_SAMPLE,
    COLOUR_TABLE,
    IMAGE_DEPTH,
    end_of_data,
    read_number,
    read_numbers,
)
from gdq_core.pictures.limits import MAX_PIXELS
from gdq_core.pictures.rows import Rows, has_alpha

_WHITE_IS_ZERO, _PALETTE, _YCBCR = 0, 3, 6
_NO_PICTURES = {
    4: "the transparency of a picture, but no picture",
    32803: "the raw data of a camera's sensor: develop it first",
    34892: "the raw data of a camera's sensor: develop it first",
}
"""Of TIFF's photometric interpretations, those that the library would take for gray or RGB."""

_PALETTE_BITS = (1, 2, 4, 8)
_FOREIGN_COMPRESSIONS = {34887: "LERC", 34925: "LZMA", 50000: "Zstandard", 50001: "WebP"}
"""Of TIFF, which the library's copy of libtiff was built without."""
# libjpeg calls this corrupt, yet some cameras write it and no pixel suffers: before the pixels, or
# at the end. Before a restart marker, 0xd0 to 0xd7, they are what is left of pixels.
_HARMLESS = re.compile(r"extraneous bytes before marker 0x(?!d[0-7])")

# One thread decodes; the tiles' workers have the processor. Our own limits are the ones that count.
OpenImageIO.attribute("threads", 1)
OpenImageIO.attribute("limits:imagesize_MB", MAX_PIXELS * 8 >> 20)


class LibraryDecoder:
    """See ``Decoder``."""

    def __init__(self, path: Path, format_name: str) -> None:
        """Open a file of a known format and read its header.

        Raises:
            ImageError: the library does not take it for a picture of that format.

        """
        self._path, self._format = path, format_name
        chunks = read_chunks(path) if format_name == "png" else {}
        self._input = self._open()
        spec = self._input.spec()
        self.width, self.height = spec.width, spec.height
        self.channels: int = spec.nchannels
        self.orientation = spec.get_int_attribute("Orientation", 1)
        self.meaning = (
            meaning_of(chunks) if format_name == "png" else ColourMeaning(_icc_profile(spec))
        )
        self._photometric: int = spec.get_int_attribute("tiff:PhotometricInterpretation", -1)
        self._is_shifted_palette = False  # v * 256 stands for a colour v, as many programs write
        self._top = spec.y  # TIFF may place its picture on a larger page
        self._tile_height: int = spec.tile_height  # 0 unless it is a TIFF in tiles
        self._ahead = np.empty((0, spec.width, spec.nchannels), dtype=np.uint8)
        self.notes: list[str] = []
        if str(spec.format) == "uint16":
            self.notes.append("16 bits per sample rounded to 8")
        if count_frames(chunks) > 1 or self._has_more_pictures():
            self.notes.append("only the first of several pictures in the file")

    def check_kind(self) -> None:
        """See ``Decoder.check_kind``."""
        spec = self._input.spec()
        self._check_colours(spec)
        if str(spec.format) not in ("uint8", "uint16"):
            raise ImageError(
                f"{self._path} has {spec.format} samples; pictures of 8 or 16 bits are accepted"
            )
        self._check_channels(spec)
        if self._format == "tiff":
            self._check_directory()
        complaint = self._read_complaint()  # a progressive JPEG shows here that it is cut
        if complaint and not _HARMLESS.search(complaint):
            self._refuse_damage(complaint)

    def decode(self, start: int, count: int) -> Rows:
        """See ``Decoder.decode``."""
        if self._tile_height:
            return self._decode_tiles(start, count)
        top = self._top + start
        return self._check(
            self._input.read_scanlines(
                0, 0, top, top + count, 0, 0, self.channels, OpenImageIO.UINT8
            )
        )

    def close(self) -> None:
        """See ``Decoder.close``."""
        self._input.close()

    def _open(self) -> OpenImageIO.ImageInput:
        wish = OpenImageIO.ImageSpec()
        wish.attribute("oiio:UnassociatedAlpha", 1)
        try:
            opened = OpenImageIO.ImageInput.open(str(self._path), wish)
        except TypeError as error:  # a name that is no text in the file system's encoding
            raise ImageError(
                f"{self._path} cannot be opened: its name is not valid UTF-8, rename it"
            ) from error
        if opened is None:
            raise ImageError(f"{self._path} cannot be read: {_first_line(OpenImageIO.geterror())}")
        if opened.format_name() != self._format:
            opened.close()
            raise ImageError(f"{self._path} is damaged: it only begins like a {self._format} file")
        return opened

    def _has_more_pictures(self) -> bool:
        if self._format == "jpeg":
            return _is_multi_picture(self._path)
        if self._format == "webp":
            return self._input.spec().get_int_attribute("oiio:Movie", 0) == 1
        if self._format == "png":
            return False
        found = bool(self._input.seek_subimage(1, 0))
        self._input.seek_subimage(0, 0)
        self._input.geterror()  # that there is no second picture is no error of the first
        return found

    def _check_colours(self, spec: OpenImageIO.ImageSpec) -> None:
        for name in ("jpeg:ColorSpace", "tiff:ColorSpace"):
            colours = spec.get_string_attribute(name)
            if colours not in ("palette", "YCbCr", ""):  # those come as RGB
                raise ImageError(f"{self._path} has {colours} colours: convert it to RGB first")
        if (what := _NO_PICTURES.get(self._photometric)) is not None:
            raise ImageError(f"{self._path} holds {what}")
        compression = spec.get_int_attribute("tiff:Compression", 1)
        if compression in _FOREIGN_COMPRESSIONS:
            name = _FOREIGN_COMPRESSIONS[compression]
            raise ImageError(f"{self._path} is compressed by {name}: save it with LZW or deflate")

    def _check_directory(self) -> None:
        """Check what the library does not look at, and would get wrong without a word."""
        if (depth := read_number(self._path, IMAGE_DEPTH) or 1) > 1:
            raise ImageError(
                f"{self._path} is a volume of {depth} slices: save the one that you want"
            )
        # What is missing of subsampled colours is made up; all else is missed when it is read.
        if self._photometric == _YCBCR and end_of_data(self._path) > self._path.stat().st_size:
            raise ImageError(f"{self._path} is truncated: its end is missing")
        if self._photometric == _PALETTE:
            self._check_palette()

    def _check_palette(self) -> None:
        bits = read_number(self._path, BITS_PER_SAMPLE) or 1
        if bits not in _PALETTE_BITS:
            raise ImageError(f"{self._path} has a palette of {bits} bits per pixel: save it as RGB")
        table = read_numbers(self._path, COLOUR_TABLE)
        if 0 < max(table, default=0) < 256:  # against TIFF 6.0, section 5, yet there are such files
            raise ImageError(
                f"{self._path} has a palette of 8 bits per colour where TIFF has 16, and would "
                "come out black: save it as RGB"
            )
        self._is_shifted_palette = not any(entry & 255 for entry in table)

    def _check_channels(self, spec: OpenImageIO.ImageSpec) -> None:
        alpha = spec.nchannels - 1 if has_alpha(spec.nchannels) else -1
        if spec.depth != 1 or not 1 <= spec.nchannels <= 4 or spec.alpha_channel != alpha:
            raise ImageError(
                f"{self._path} has {spec.nchannels} channels {', '.join(spec.channelnames)}; "
                "gray or RGB, with or without alpha, is accepted"
            )
        straight = spec.get_int_attribute("oiio:UnassociatedAlpha", 0) == 1
        if self._format == "tiff" and alpha >= 0 and not straight:
            raise ImageError(
                f"{self._path} has its transparency multiplied into its colours: "
                "save it with straight (unassociated) alpha"
            )

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
        """Refuse what the decoder complains of, even if it made up some pixels."""
        if complaint := self._read_complaint():
            self._refuse_damage(complaint)
        if rows is None:
            raise ImageError(f"{self._path} is damaged or truncated")
        spec = self._input.spec()
        if self._is_shifted_palette:  # the library divides by 257 and rounds down, to v - 1
            rows += rows > 0
        if self._photometric == _WHITE_IS_ZERO:
            # The library turns 8 bits over, alpha too, and leaves 16 bits as they are.
            is_turned = str(spec.format) == "uint8"
            wrong = slice(-1, None) if is_turned else slice(0, 1)
            if not is_turned or has_alpha(self.channels):
                rows[..., wrong] = 255 - rows[..., wrong]
        return rows

    def _read_complaint(self) -> str:
        """Return what the decoder complained of since it was last asked; "" if of nothing."""
        return str(self._input.geterror()) if self._input.has_error else ""

    def _refuse_damage(self, complaint: str) -> NoReturn:
        raise ImageError(f"{self._path} is damaged or truncated: {_first_line(complaint)}")


def _is_multi_picture(path: Path) -> bool:
    """Tell whether a JPEG is the first of several pictures (CIPA DC-007, MPO)."""
    with path.open("rb") as stream:
        stream.seek(2)
        while len(head := stream.read(4)) == 4 and head[0] == 0xFF and head[1] != 0xDA:
            length = int.from_bytes(head[2:], "big") - 2
            data = stream.read(length)
            if head[1] == 0xE2 and data.startswith(b"MPF\0"):
                return True
    return False


def _icc_profile(spec: OpenImageIO.ImageSpec) -> bytes | None:
    profile: NDArray[np.uint8] | None = spec.getattribute("ICCProfile")
    return None if profile is None else bytes(profile)


def _first_line(message: str) -> str:
    return message.split("\n", 1)[0][:200] or "no reason is given"
