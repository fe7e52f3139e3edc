"""What all decoders have in common."""

from __future__ import annotations

from typing import Protocol

from gdq_core.pictures.colour.meaning import ColourMeaning
from gdq_core.pictures.rows import Rows


class Decoder(Protocol):
    """A picture file whose header was read; its rows come as they are stored.

    Attributes:
        width: pixels per stored row.
        height: stored rows.
        channels: 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha.
        orientation: EXIF tag 0x0112; 1 if the file has none.
        meaning: of the samples.
        notes: sentences on what is changed or left out.

    """

    width: int
    height: int
    channels: int
    orientation: int
    meaning: ColourMeaning
    notes: list[str]

    def check_kind(self) -> None:
        """Check that the picture is of a kind that is taken.

        Raises:
            ImageError: it is not.

        """

    def decode(self, start: int, count: int) -> Rows:
        """Decode rows; each call begins where the one before ended.

        Raises:
            ImageError: the file is damaged or truncated.

        """

    def close(self) -> None:
        """Close the file."""
