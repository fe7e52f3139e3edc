"""What each tile contributes to the upscaled picture, found pixel by pixel."""

from __future__ import annotations

from typing import Any

from vectors.cases.tiling import spans

PICTURES = (
    # width, height, tile, overlap, scale, policy
    (1, 1, 16, 4, 2, "uniform"), (1, 1, 16, 4, 2, "paper"), (13, 9, 16, 4, 3, "uniform"),
    (13, 9, 16, 4, 3, "paper"), (16, 16, 16, 4, 2, "uniform"), (17, 29, 16, 4, 2, "uniform"),
    (17, 29, 16, 4, 2, "paper"), (28, 40, 16, 4, 2, "uniform"), (40, 28, 16, 4, 4, "paper"),
    (33, 20, 20, 7, 1, "uniform"), (200, 96, 96, 6, 2, "uniform"), (200, 96, 96, 6, 2, "paper"),
)  # fmt: skip

DRAWN = 900
"""Pictures with at most so many pixels have their pixels in the vectors too."""


def trim(span: list[int], scale: int) -> dict[str, list[int]]:
    """Along one side of the upscaled picture: what is taken of the tile, and where it goes."""
    start, _, own_start, own_stop = span
    return {
        "take": [(own_start - start) * scale, (own_stop - start) * scale],
        "put": [own_start * scale, own_stop * scale],
    }


def sample(tile: int, y: int, x: int) -> int:
    """The made-up value of a tile's upscaled pixel, in all channels."""
    return (97 * tile + 5 * y + 3 * x) % 256


def draw(rows: list[list[int]], columns: list[list[int]], scale: int) -> list[list[int]]:
    """The picture that the made-up tiles give, each pixel asked for its owner."""

    def owner(place: int, sides: list[list[int]]) -> int:
        return next(n for n, side in enumerate(sides) if side[2] <= place // scale < side[3])

    height, width = rows[-1][3] * scale, columns[-1][3] * scale
    picture = []
    for y in range(height):
        row = owner(y, rows)
        line = []
        for x in range(width):
            column = owner(x, columns)
            tile = row * len(columns) + column
            line.append(sample(tile, y - rows[row][0] * scale, x - columns[column][0] * scale))
        picture.append(line)
    return picture


def create() -> dict[str, list[dict[str, Any]]]:
    pictures = []
    for width, height, tile, overlap, scale, policy in PICTURES:
        rows, columns = (spans(side, tile, overlap, policy) for side in (height, width))
        pictures.append(
            {
                "width": width,
                "height": height,
                "tile": tile,
                "overlap": overlap,
                "scale": scale,
                "policy": policy,
                "rows": [trim(span, scale) for span in rows],
                "columns": [trim(span, scale) for span in columns],
                "result": draw(rows, columns, scale) if width * height <= DRAWN else None,
            }
        )
    return {"pictures": pictures}
