"""What all encoders have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gdq_core.pictures.colour.meaning import ColourMeaning
from gdq_core.pictures.rows import Rows


@dataclass(frozen=True)
class PictureHeader:
    """What a file says before its pixels.

    Attributes:
        width: pixels per row, at least 1.
        height: rows, at least 1.
        channels: 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha.
        meaning: of the samples, in terms that the format can hold.

    """

    width: int
    height: int
    channels: int
    meaning: ColourMeaning


class Encoder(Protocol):
    """A new picture file; every method works in the caller's thread.

    The methods raise ``OSError`` when the system refuses, and ``OutputError`` with a sentence when
    a library does.
    """

    def write_rows(self, rows: Rows) -> None:
        """Write the next rows, contiguous."""

    def finish(self) -> None:
        """Write the end, after the last row, and close the file."""

    def release(self) -> None:
        """Close the file wherever it stands; never raises, and may be called twice."""


OpenEncoder = Callable[[Path, PictureHeader], Encoder]
"""Opens a file, which is empty, and writes its header."""
