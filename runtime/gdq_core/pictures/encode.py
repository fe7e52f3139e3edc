"""Writes picture files row by row with OpenImageIO: the whole picture, or no file at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from types import TracebackType

import numpy as np
import OpenImageIO

from gdq_core.errors import OutputError
from gdq_core.pictures.output_file import OutputFile
from gdq_core.pictures.rows import Rows, has_alpha

_FORMATS = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".tif": "tiff", ".tiff": "tiff"}
_ATTRIBUTES: dict[str, dict[str, str | int]] = {
    # Measured on 8 megapixels: 0.27 s and 8.8 MB; level 6 with all filters 2.2 s and 8.1 MB.
    "png": {"png:compressionLevel": 1, "png:filter": 0x40},
    "jpeg": {"compression": "jpeg:95", "jpeg:subsampling": "4:4:4"},
    # Deflate takes five times as long. The empty Exif directory is a false alarm on close.
    "tiff": {"compression": "lzw", "tiff:write_exif": 0},
}
_LARGEST_SIDE = {"png": 1_000_000, "jpeg": 65_500, "tiff": 1 << 31}
_CLASSIC_TIFF_LIMIT = 3 << 30


class PictureWriter:
    """A picture file as a sink of rows: appears under its name when closed, complete.

    PNG (lossless, fast), JPEG (quality 95, no transparency) and TIFF (LZW), by suffix. A context:
    entering begins a temporary file beside the target, leaving without ``close`` leaves no file.

    Attributes:
        notes: sentences on what was left out.

    """

    def __init__(
        self,
        target: str | Path,
        width: int,
        height: int,
        channels: int,
        *,
        icc_profile: bytes | None = None,
        overwrite: bool = False,
    ) -> None:
        """Check that the picture can be written; nothing is created yet.

        Args:
            target: name of the picture; its suffix is the format.
            width: pixels.
            height: pixels.
            channels: 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha.
            icc_profile: stored with the picture, or left out, with a note, if it is broken.
            overwrite: replace an existing file.

        Raises:
            OutputError: another suffix, no such folder, an existing file, or a picture that the
                format cannot hold.

        """
        self._target = Path(target)
        self._format = check_target(self._target, overwrite=overwrite)
        self._check_fits(width, height, channels)
        self._spec = _specify(self._format, width, height, channels)
        self._profile = icc_profile
        # Short, because the target's own name may be as long as the file system allows.
        self._temporary = self._target.with_name(f".gdq-{secrets.token_hex(6)}.part")
        self._output = OutputFile(self._format, self._temporary)
        self._next = 0
        self._is_open = True
        self.notes: list[str] = []

    def write_rows(self, rows: Rows) -> None:
        """See ``RowSink.write_rows``."""
        end = self._next + len(rows)
        self._fail_on(self._output.write(self._next, end, np.ascontiguousarray(rows)))
        self._next = end

    def close(self) -> None:
        """Finish the file and move it to its name.

        Raises:
            OutputError: rows are missing, the disk is full, or the file cannot be moved; nothing
                is left then.

        """
        if self._next != self._spec.height:
            self._fail_on(f"only {self._next} of {self._spec.height} rows were given")
        self._fail_on(self._output.close())
        try:
            _flush_to_disk(self._temporary)
            self._temporary.replace(self._target)
        except OSError as error:
            self._fail_on(str(error.strerror))
        self._is_open = False

    def __enter__(self) -> PictureWriter:
        try:
            self._begin()
        except BaseException:  # Ctrl-C may come before the context is entered
            self._output.abandon()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._is_open:
            self._output.abandon()

    def _begin(self) -> None:
        if self._profile is not None:
            kind = OpenImageIO.TypeDesc(f"uint8[{len(self._profile)}]")
            self._spec.attribute("ICCProfile", kind, self._profile)
        complaint = self._output.open(self._spec)
        if complaint and self._profile is not None:
            # libpng checks profiles, and there are broken ones; nothing else is cured by this.
            self._output.abandon()
            self._spec.erase_attribute("ICCProfile")
            self._output = OutputFile(self._format, self._temporary)
            complaint = self._output.open(self._spec)
            self.notes.append("the colour profile is broken and was left out")
        self._fail_on(complaint)

    def _fail_on(self, complaint: str) -> None:
        if complaint:
            self._is_open = False
            self._output.abandon()
            raise OutputError(f"{self._target} cannot be written: {complaint}")

    def _check_fits(self, width: int, height: int, channels: int) -> None:
        if self._format == "jpeg" and has_alpha(channels):
            raise OutputError(
                f"{self._target}: JPEG cannot hold the picture's transparency; write .png or .tif"
            )
        largest = _LARGEST_SIDE[self._format]
        if max(width, height) > largest:
            raise OutputError(
                f"{self._target}: {width}x{height} pixels are more than {self._format.upper()} "
                f"takes ({largest} per side); write .tif"
            )


def check_target(target: Path, *, overwrite: bool) -> str:
    """Check a name for a picture before any work is done for it.

    Returns:
        The format: "png", "jpeg" or "tiff".

    Raises:
        OutputError: unknown suffix, no such folder, or a file that shall not be overwritten.

    """
    name = _FORMATS.get(target.suffix.lower())
    if name is None:
        raise OutputError(f"{target}: the name of a picture must end in {', '.join(_FORMATS)}")
    try:
        if not target.parent.is_dir():
            raise OutputError(f"{target} cannot be written: there is no folder {target.parent}")
        if target.is_dir():
            raise OutputError(f"{target} cannot be written: it is a folder")
        if _exists(target) and not overwrite:
            raise OutputError(f"{target} exists; --overwrite replaces it")
    except (OSError, ValueError) as error:
        raise OutputError(f"{target} cannot be written: {error}") from error
    return name


def save_picture(image: Rows, target: Path, *, overwrite: bool) -> None:
    """Write a whole picture, (height, width, channels).

    Raises:
        OutputError: as ``PictureWriter``.

    """
    height, width, channels = image.shape
    with PictureWriter(target, width, height, channels, overwrite=overwrite) as writer:
        writer.write_rows(image)
        writer.close()


def _exists(target: Path) -> bool:
    """Tell whether the name is taken, be it by a dangling link; other errors are not hidden."""
    try:
        target.lstat()
    except FileNotFoundError:
        return False
    return True


def _specify(format_name: str, width: int, height: int, channels: int) -> OpenImageIO.ImageSpec:
    spec = OpenImageIO.ImageSpec(width, height, channels, OpenImageIO.UINT8)
    if has_alpha(channels):
        spec.channelnames = ("Y", "A") if channels == 2 else ("R", "G", "B", "A")
        spec.alpha_channel = channels - 1
        spec.attribute("oiio:UnassociatedAlpha", 1)
    for name, value in _ATTRIBUTES[format_name].items():
        spec.attribute(name, value)
    if format_name == "tiff" and width * height * channels > _CLASSIC_TIFF_LIMIT:
        spec.attribute("tiff:bigtiff", 1)
    return spec


def _flush_to_disk(path: Path) -> None:
    """Make the content safe before the name appears, so that a power cut leaves no empty file."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())
