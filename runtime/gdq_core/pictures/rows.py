"""Pictures as streams of rows, so that a picture of any height passes through little memory.

Rows are uint8 (count, width, channels), where the number of channels says what they are:
1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha. Alpha is straight (not multiplied into colour).
"""

from __future__ import annotations

from os import PathLike
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from gdq_core.errors import ImageError, RequestError

Rows = NDArray[np.uint8]


class RowSource(Protocol):
    """A picture whose rows are read once, from top to bottom."""

    @property
    def width(self) -> int:
        """Pixels per row."""

    @property
    def height(self) -> int:
        """Number of rows."""

    @property
    def channels(self) -> int:
        """Samples per pixel, 1..4."""

    def read_rows(self, count: int) -> Rows:
        """Read the next ``count`` rows, no more than there are left.

        Raises:
            ImageError: the rest of the picture is damaged.

        """


class RowSink(Protocol):
    """Takes the rows of a picture from top to bottom."""

    def write_rows(self, rows: Rows) -> None:
        """Take the next rows.

        Raises:
            OutputError: they cannot be stored.

        """


class ArraySource:
    """An array as a source of rows."""

    def __init__(self, image: NDArray[np.uint8]) -> None:
        """Wrap an array without copying it.

        Args:
            image: uint8, (height, width) gray, (height, width, 3) RGB or (height, width, 4) RGB
                with straight alpha.

        Raises:
            ImageError: an array of another kind, or without pixels.
            RequestError: something else than an array.

        """
        if not isinstance(image, np.ndarray):
            raise RequestError(_name_the_way(image))
        is_picture = image.ndim == 2 or (image.ndim == 3 and image.shape[2] in (3, 4))
        if image.dtype != np.uint8 or not is_picture or image.size == 0:
            raise ImageError(
                f"an image must be uint8 of shape (height, width), (height, width, 3) or "
                f"(height, width, 4) with at least one pixel, not {image.dtype} {image.shape}"
            )
        self._rows = image.reshape(*image.shape[:2], -1)
        self._next = 0
        self.height, self.width, self.channels = self._rows.shape

    def read_rows(self, count: int) -> Rows:
        """See ``RowSource.read_rows``."""
        rows = self._rows[self._next : self._next + count]
        self._next += count
        return rows


def _name_the_way(given: object) -> str:
    """Tell whoever gives something else than an array how it is done."""
    if isinstance(given, str | bytes | PathLike):
        return f"an image must be a NumPy array, not the name {given!r}: upscale_file reads files"
    # What numpy.asarray makes of a PIL image depends on its mode: of a palette, meaningless codes.
    return (
        f"an image must be a NumPy array of uint8, not {type(given).__name__}: "
        "numpy.asarray(image, numpy.uint8) makes one of numbers, "
        'numpy.asarray(image.convert("RGB")) one of a PIL image'
    )


class ArraySink:
    """Collects rows in an array."""

    def __init__(self, height: int, width: int, channels: int) -> None:
        """Reserve the whole picture."""
        self._rows = np.empty((height, width, channels), dtype=np.uint8)
        self._next = 0

    def write_rows(self, rows: Rows) -> None:
        """See ``RowSink.write_rows``."""
        self._rows[self._next : self._next + len(rows)] = rows
        self._next += len(rows)

    @property
    def image(self) -> NDArray[np.uint8]:
        """The picture, (height, width) if it has one channel."""
        return self._rows[..., 0] if self._rows.shape[2] == 1 else self._rows


def has_alpha(channels: int) -> bool:
    """Tell whether the last of so many channels is alpha."""
    return channels in (2, 4)


def split_alpha(rows: Rows) -> tuple[Rows, NDArray[np.uint8] | None]:
    """Split rows into RGB (count, width, 3) for the network and alpha (count, width), if any."""
    channels = rows.shape[2]
    alpha = np.ascontiguousarray(rows[..., -1]) if has_alpha(channels) else None
    if channels >= 3:
        return np.ascontiguousarray(rows[..., :3]), alpha
    return rows[..., :1].repeat(3, axis=2), alpha


def join_alpha(colour: Rows, alpha: NDArray[np.uint8] | None, channels: int) -> Rows:
    """Bring the network's RGB and the alpha back to the channels that the picture had.

    What came in gray goes out gray: the luma (BT.601, full range) of three nearly equal channels.
    """
    if channels < 3:
        gray = np.asarray(cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
        colour = gray[..., np.newaxis]
    return colour if alpha is None else np.dstack([colour, alpha])
