"""Where tiles lie along one side of a picture, counted instead of cut."""

from __future__ import annotations

from math import ceil
from typing import Any

SMALLEST = 16
"""No graph need take a smaller side."""

SIDES = (1, 2, 15, 16, 17, 28, 29, 40, 50, 95, 96, 97, 185, 186, 187, 276, 277, 510, 1000)
TILES = ((16, 4), (16, 0), (16, 7), (20, 10), (48, 6), (96, 6))
"""Side and overlap."""


def spans(length: int, size: int, overlap: int, policy: str) -> list[list[int]]:
    """Tiles of a side as [start, stop, own_start, own_stop]."""
    stride = size - overlap
    room = max(length - size, 0)
    if policy == "uniform":
        count = ceil(room / stride) + 1
        starts = [min(number * stride, room) for number in range(count)]
        stops = [start + size for start in starts]
    else:
        count = room // stride + 1
        starts = [number * stride for number in range(count)]
        stops = [*(start + size for start in starts[:-1]), max(length, SMALLEST)]
    cuts = [0] + [(stops[n] + starts[n + 1]) // 2 for n in range(count - 1)] + [length]
    return [[starts[n], stops[n], cuts[n], cuts[n + 1]] for n in range(count)]


def source_of(place: int, length: int) -> int:
    """The pixel that reflection puts at a place beyond the end: abc -> abcba, one pixel repeats."""
    forth_and_back = [*range(length), *range(length - 2, 0, -1)]
    return int(forth_and_back[place % len(forth_and_back)])


def create() -> dict[str, list[dict[str, Any]]]:
    return {
        "sides": [
            {
                "length": length,
                "tile": size,
                "overlap": overlap,
                "policy": policy,
                "spans": spans(length, size, overlap, policy),
            }
            for policy in ("uniform", "paper")
            for size, overlap in TILES
            for length in SIDES
        ],
        "padding": [
            {"length": length, "tile": 16, "sources": [source_of(n, length) for n in range(16)]}
            for length in (1, 2, 3, 7, 15)
        ],
    }
