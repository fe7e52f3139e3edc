"""Draw a bit map: colours over the gray picture, the bit-width of each tile, and a legend."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from gdq_core.bit_widths import INTERPOLATED, SMALL
from gdq_core.pictures.rows import Rows, RowSource, split_alpha
from gdq_runtime.bit_map import compute_fab, count_bit_widths
from gdq_runtime.tiles.tiling import Span, TilePlan

# Okabe and Ito's palette, which people with any colour vision can tell apart: from cool to warm,
# and white where no network was needed.
_COLOURS = {
    INTERPOLATED: (255, 255, 255),
    4: (0, 114, 178),
    5: (0, 158, 115),
    6: (240, 228, 66),
    8: (213, 94, 0),
    # The small network of two has hues of its own.
    SMALL + 4: (86, 180, 233),
    SMALL + 5: (204, 121, 167),
    SMALL + 6: (230, 159, 0),
    SMALL + 8: (120, 94, 60),
}
_UNKNOWN = (128, 128, 128)
_LARGEST_SIDE = 1600
_SMALLEST_SIDE = 900
_LEGEND_HEIGHT = 48
_LINE_HEIGHT = 28
_LEGEND_WIDTH = 900
_NAMES_PER_LINE = 5
_TINT = 0.45
_FONT = cv2.FONT_HERSHEY_SIMPLEX


class Thumbnail:
    """A source of rows that passes another one on and keeps a reduced copy of bounded size."""

    def __init__(self, source: RowSource) -> None:
        """Wrap a source; the longer side of the copy has at most 1600 pixels."""
        self._source = source
        self._step = -(-max(source.width, source.height) // _LARGEST_SIDE)
        self._rows: list[Rows] = []
        self._next = 0
        self.width, self.height, self.channels = source.width, source.height, source.channels

    def read_rows(self, count: int) -> Rows:
        """See ``RowSource.read_rows``; keeps every n-th row, averaged horizontally."""
        rows = self._source.read_rows(count)
        kept = rows[-self._next % self._step :: self._step]
        self._next += len(rows)
        if len(kept):
            size = (-(-self.width // self._step), len(kept))
            colour, _ = split_alpha(kept)
            smaller = cv2.resize(colour, size, interpolation=cv2.INTER_AREA)
            self._rows.append(np.asarray(smaller, dtype=np.uint8))
        return rows

    @property
    def image(self) -> NDArray[np.uint8]:
        """The copy of what was read so far, (height, width, 3), RGB."""
        return np.concatenate(self._rows)


def draw_bit_map(
    picture: NDArray[np.uint8],
    plan: TilePlan,
    bit_map: NDArray[np.uint8],
    caption: str = "",
) -> NDArray[np.uint8]:
    """Draw the bit-widths over a picture.

    Args:
        picture: (height, width, 3), RGB: the low-resolution picture, in any size.
        plan: the tiles of the picture.
        bit_map: (rows, columns), the bit-width of each tile, 0 if it was interpolated, ``SMALL``
            more if a small network ran it.
        caption: another line of the legend, such as the time of a tile.

    Returns:
        (height, width, 3), RGB, in another size: the longer side has about 900 to 1600 pixels.

    """
    canvas = _enlarge(picture)
    height, width = canvas.shape[:2]
    rows = _tile_of_pixel(plan.rows, plan.height, height)
    columns = _tile_of_pixel(plan.columns, plan.width, width)
    colours = _colour_tiles(bit_map)[np.ix_(rows, columns)]
    gray = cv2.cvtColor(cv2.cvtColor(canvas, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    tinted = cv2.addWeighted(gray, 1 - _TINT, colours, _TINT, 0)
    overlay = np.asarray(tinted, dtype=np.uint8)
    _draw_numbers(overlay, rows, columns, bit_map)
    return _add_legend(overlay, bit_map, caption)


def _enlarge(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    factor = -(-_SMALLEST_SIDE // max(picture.shape[:2]))
    size = (picture.shape[1] * factor, picture.shape[0] * factor)
    enlarged = cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST)
    return np.asarray(enlarged, dtype=np.uint8)


def _tile_of_pixel(spans: tuple[Span, ...], length: int, pixels: int) -> NDArray[np.intp]:
    """Return, for each pixel of the drawing along one axis, the index of the tile that owns it."""
    centres = (np.arange(pixels) + 0.5) * length / pixels
    return np.searchsorted([span.own_stop for span in spans[:-1]], centres, side="right")


def _colour_tiles(bit_map: NDArray[np.uint8]) -> NDArray[np.uint8]:
    colours = np.full((256, 3), _UNKNOWN, dtype=np.uint8)
    for bit_width, colour in _COLOURS.items():
        colours[bit_width] = colour
    tiles: NDArray[np.uint8] = colours[bit_map]
    return tiles


def _draw_numbers(
    overlay: NDArray[np.uint8],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    bit_map: NDArray[np.uint8],
) -> None:
    """Write its bit-width into each tile and draw the tile's border, if there is room."""
    tops, lefts = (np.flatnonzero(np.diff(tiles, prepend=-1)) for tiles in (rows, columns))
    if min(overlay.shape[0] / len(tops), overlay.shape[1] / len(lefts)) < 24:
        return
    overlay[tops[1:]] = overlay[tops[1:]] // 2
    overlay[:, lefts[1:]] = overlay[:, lefts[1:]] // 2
    for top in tops:
        for left in lefts:
            text = _short_name(int(bit_map[rows[top], columns[left]]))
            place = (int(left) + 5, int(top) + 18)
            cv2.putText(overlay, text, place, _FONT, 0.5, (0, 0, 0), 3, cv2.LINE_AA)
            cv2.putText(overlay, text, place, _FONT, 0.5, (255, 255, 255), 1, cv2.LINE_AA)


def _add_legend(
    overlay: NDArray[np.uint8], bit_map: NDArray[np.uint8], caption: str
) -> NDArray[np.uint8]:
    height, width = overlay.shape[:2]
    counts = count_bit_widths(bit_map)
    lines = (len(counts) - 1) // _NAMES_PER_LINE + (1 if caption else 0)
    legend = _LEGEND_HEIGHT + lines * _LINE_HEIGHT
    page = np.full((height + legend, max(width, _LEGEND_WIDTH), 3), 255, dtype=np.uint8)
    page[:height, :width] = overlay
    black, below = (0, 0, 0), (12, height + legend - 17)
    fab = f"FAB {compute_fab(bit_map):.2f}"
    cv2.putText(page, fab, (12, height + 31), _FONT, 0.6, black, 1, cv2.LINE_AA)
    cv2.putText(page, caption, below, _FONT, 0.6, black, 1, cv2.LINE_AA)
    for place, (bit_width, tiles) in enumerate(counts.items()):
        line, column = divmod(place, _NAMES_PER_LINE)
        left, baseline = 140 + 150 * column, height + 31 + line * _LINE_HEIGHT
        colour = _COLOURS.get(bit_width, _UNKNOWN)
        corners = (left, baseline - 17), (left + 24, baseline + 3)
        cv2.rectangle(page, *corners, colour, cv2.FILLED)
        cv2.rectangle(page, *corners, black, 1)
        name = "cubic" if bit_width == INTERPOLATED else f"{_short_name(bit_width)} bit"
        share = f"{name} {100 * tiles / bit_map.size:.0f} %"
        cv2.putText(page, share, (left + 32, baseline), _FONT, 0.6, black, 1, cv2.LINE_AA)
    return page


def _short_name(route: int) -> str:
    """Name a route where there is room for two letters: "8", or "s8" on a small network."""
    return f"s{route - SMALL}" if route > SMALL else str(route)
