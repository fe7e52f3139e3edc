"""Writes picture files row by row: the whole picture, or no file at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import numpy as np

from gdq_core.errors import OutputError
from gdq_core.files.drafts import DraftFile
from gdq_core.files.outputs import reason
from gdq_core.pictures.colour.adaptation import adapt
from gdq_core.pictures.colour.meaning import UNSAID, ColourMeaning
from gdq_core.pictures.encoders.base import Encoder, OpenEncoder, PictureHeader
from gdq_core.pictures.encoders.jpeg import JpegEncoder
from gdq_core.pictures.encoders.png import PngEncoder
from gdq_core.pictures.encoders.tiff import TiffEncoder
from gdq_core.pictures.rows import Rows, has_alpha

_FORMATS = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".tif": "tiff", ".tiff": "tiff"}
_ENCODERS: dict[str, OpenEncoder] = {"png": PngEncoder, "jpeg": JpegEncoder, "tiff": TiffEncoder}
_LARGEST_SIDE = {"png": 1_000_000, "jpeg": 65_500, "tiff": 1 << 31}


class PictureWriter:
    """A picture file as a sink of rows: appears under its name when closed, complete.

    PNG (lossless, fast), JPEG (quality 95, no transparency) and TIFF (LZW), by suffix. A context:
    entering begins a temporary file beside the target, leaving without ``close`` leaves no file.

    Attributes:
        notes: sentences on what was left out or said in other words.

    """

    def __init__(
        self,
        target: str | Path,
        width: int,
        height: int,
        channels: int,
        *,
        meaning: ColourMeaning = UNSAID,
        overwrite: bool = False,
    ) -> None:
        """Check that the picture can be written; nothing is created yet.

        Args:
            target: name of the picture; its suffix is the format.
            width: pixels.
            height: pixels.
            channels: 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha.
            meaning: of the samples; what the format cannot say is left out, with a note.
            overwrite: replace an existing file.

        Raises:
            OutputError: another suffix, no such folder, an existing file, or a picture that the
                format cannot hold.

        """
        self._target = Path(target)
        self._format = check_target(self._target, overwrite=overwrite)
        self._check_fits(width, height, channels)
        fitting, self.notes = adapt(meaning, self._format, channels)
        self._header = PictureHeader(width, height, channels, fitting)
        self._draft = DraftFile(self._target)
        self._encoder: Encoder | None = None
        self._next = 0

    def write_rows(self, rows: Rows) -> None:
        """See ``RowSink.write_rows``."""
        assert self._encoder is not None, "the writer is a context"
        with self._failing():
            self._encoder.write_rows(np.ascontiguousarray(rows))
        self._next += len(rows)

    def close(self) -> None:
        """Finish the file and move it to its name.

        Raises:
            OutputError: rows are missing, the disk is full, or the file cannot be moved; nothing
                is left then.

        """
        assert self._encoder is not None, "the writer is a context"
        with self._failing():
            if self._next != self._header.height:
                raise OutputError(f"only {self._next} of {self._header.height} rows were given")
            self._encoder.finish()
            self._draft.commit()

    def __enter__(self) -> PictureWriter:
        try:
            with self._failing():
                self._draft.create()
                self._encoder = _ENCODERS[self._format](self._draft.path, self._header)
        except BaseException:  # Ctrl-C may come before the context is entered
            self._abandon()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._abandon()

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """Name the target in whatever goes wrong, and leave nothing behind."""
        try:
            yield
        except (OSError, OutputError) as error:
            self._abandon()
            complaint = reason(error) if isinstance(error, OSError) else error
            raise OutputError(f"{self._target} cannot be written: {complaint}") from error

    def _abandon(self) -> None:
        """Close and remove what was not moved to its name; harmless afterwards."""
        if self._encoder is not None:
            self._encoder.release()
        self._draft.discard()

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
