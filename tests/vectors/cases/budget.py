"""How a picture is held to a mean bit-width: every position of the dial is tried, by the book."""

from __future__ import annotations

from typing import Any

POINTS: list[dict[str, Any]] = [
    {"fab": 4, "loss_db": 0.4, "bit_widths": [4, 4, 4]},
    {"fab": 4.5, "loss_db": 0.3, "bit_widths": [4, 4, 6]},
    {"fab": 5, "loss_db": 0.2, "bit_widths": [4, 5, 8]},
    {"fab": 6, "loss_db": 0.1, "bit_widths": [5, 6, 8]},
    {"fab": 8, "loss_db": 0, "bit_widths": [8, 8, 8]},
]

BANDS: dict[str, tuple[int, float, list[list[int]]]] = {
    # what happens: position of the dial, largest mean, the bins of each band's tiles
    "there are bits for all": (2, 5, [[0, 0, 0, 2], [0, 1]]),
    "demanding tiles turn the dial back, easy ones forward": (
        2, 5, [[1, 1, 2], [2], [0, 0, 0], [2]],
    ),
    "the budget is met exactly": (2, 4.5, [[0, 1], [0, 1, 0, 1]]),
    "one bit too many": (2, 4.5, [[0, 1, 1]]),
    "the dial stands at its end": (4, 8, [[2, 0, 1], [2, 2]]),
    "the dial stands at its start": (0, 4, [[2, 2], [1]]),
    "a mean that no double is": (3, 4.6, [[0, 0, 2], [1, 0, 0, 2, 0, 0, 0], [2, 2]]),
    "no tile needs the network": (2, 5, [[], [2], [], [0]]),
    "what was saved is spent": (3, 6, [[0] * 6, [2] * 3, [2] * 3, [2] * 3]),
}  # fmt: skip

SECONDS = {0: 0.25, 4: 4.0, 5: 5.0, 6: 6.0, 8: 8.0}

TIMED_BANDS: dict[str, tuple[int, float, list[list[int | None]]]] = {
    # the same in seconds, where interpolated tiles (None) count: what they save is spent
    "there is time for all": (2, 5, [[0, 0, 0, 2], [0, 1]]),
    "interpolated tiles leave time to others": (2, 5, [[2, None, 2], [2, 2], [None, 2, 2]]),
    "nothing but interpolated tiles": (3, 4.5, [[None, None], [None], [2, 2, 2]]),
    "the time is met exactly": (4, 4.125, [[None, 0]]),
    "a band without tiles of the network": (2, 4.5, [[1, 1], [None, None, None], [2, 2]]),
}


def spend(best: int, largest: float, bands: list[list[int]]) -> list[list[int]]:
    """The widths of each band: of all positions up to ``best`` the last that is affordable."""
    spent, tiles, widths = 0, 0, list[list[int]]()
    for bins in bands:
        tiles += len(bins)
        choices = [[point["bit_widths"][number] for number in bins] for point in POINTS[: best + 1]]
        affordable = [choice for choice in choices if spent + sum(choice) <= largest * tiles]
        widths.append((affordable or choices[:1])[-1])
        spent += sum(widths[-1])
    return widths


def spend_time(best: int, largest: float, bands: list[list[int | None]]) -> list[list[int]]:
    """Likewise in seconds; an interpolated tile is one of 0 bits at every position."""
    spent, tiles, routes = 0.0, 0, list[list[int]]()
    for bins in bands:
        tiles += len(bins)
        choices = [
            [0 if number is None else int(point["bit_widths"][number]) for number in bins]
            for point in POINTS[: best + 1]
        ]
        affordable = [
            choice
            for choice in choices
            if spent + sum(SECONDS[route] for route in choice) <= largest * tiles
        ]
        routes.append((affordable or choices[:1])[-1])
        spent += sum(SECONDS[route] for route in routes[-1])
    return routes


def create() -> dict[str, list[dict[str, Any]]]:
    return {
        "points": POINTS,
        "pictures": [
            {
                "name": name,
                "best": best,
                "fab": largest,
                "bands": bands,
                "bit_widths": spend(best, largest, bands),
            }
            for name, (best, largest, bands) in BANDS.items()
        ],
        "timed_pictures": [
            {
                "name": name,
                "best": best,
                "largest": largest,
                "prices": {str(route): seconds for route, seconds in SECONDS.items()},
                "bands": bands,
                "bit_widths": spend_time(best, largest, bands),
            }
            for name, (best, largest, bands) in TIMED_BANDS.items()
        ],
    }
