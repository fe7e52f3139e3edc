"""Dials where the costs of a device are known: every position is tried, by the book."""

from __future__ import annotations

import math
from typing import Any

WIDTHS = (4, 5, 6, 8)

DEVICES: dict[str, dict[str, Any]] = {
    # seconds of a tile: interpolated, then at 4, 5, 6 and 8 bits; of the predictor
    "ladder": {"seconds": [0.0625, 4, 5, 6, 8], "predict": 0.125},
    "six as slow as eight": {"seconds": [0.0625, 5, 6, 8.5, 8], "predict": 0.125},
    "five within three percent of six": {"seconds": [0.0625, 4, 5.875, 6, 8], "predict": 0.125},
    "one speed": {"seconds": [0.0625, 8, 8, 8, 8], "predict": 0.125},
    "four slower than five": {"seconds": [0.0625, 6, 5, 7, 8], "predict": 0.125},
}

POINTS: list[dict[str, Any]] = [
    {"fab": 4, "loss_db": 0.5, "bit_widths": [4, 4, 4, 4]},
    {"fab": 4.5, "loss_db": 0.375, "bit_widths": [4, 4, 4, 6]},
    {"fab": 5.25, "loss_db": 0.25, "bit_widths": [4, 4, 5, 8]},
    {"fab": 6, "loss_db": 0.125, "bit_widths": [4, 6, 6, 8]},
    {"fab": 8, "loss_db": 0, "bit_widths": [8, 8, 8, 8]},
]
FIXED: list[dict[str, Any]] = [
    {"fab": 4, "loss_db": 0.5},
    {"fab": 5, "loss_db": 0.3125},
    {"fab": 6, "loss_db": 0.1875},
    {"fab": 8, "loss_db": 0},
]
FLAT: dict[str, Any] = {"largest_gradient": 1.0, "loss_db": 0.0625, "share": 0.25}

CREWS = ({"tiles": 9, "workers": 1}, {"tiles": 36, "workers": 2})
REQUESTS: list[dict[str, Any]] = [
    *({"speed": speed} for speed in (1, 1.125, 1.25, 1.5, 2.5)),
    *({"speed": speed, "flat_tiles": "network"} for speed in (1, 1.125, 1.25, 1.5, 2)),
    *({"max_seconds": seconds} for seconds in (30, 40, 50, 60, 80, 200)),
    *({"fab": fab} for fab in (4, 4.75, 5.5, 6.5, 8)),
    *({"max_loss": loss} for loss in (0.0625, 0.25, 0.375, 0.5, 1)),
    {},
    {"bits": 6},
]


def seconds_of(device: dict[str, Any], width: int) -> float:
    return float(device["seconds"][(0, *WIDTHS).index(width)])


def instead(device: dict[str, Any], width: int) -> int:
    """The next width up of which no wider one, useful itself, is as fast within 3 percent."""
    if width == WIDTHS[-1]:
        return width
    wider = instead(device, next(one for one in WIDTHS if one > width))
    saves = seconds_of(device, width) < 0.97 * seconds_of(device, wider)
    return width if saves else wider


def seconds_at(device: dict[str, Any], widths: list[int]) -> float:
    asked = device["predict"] if min(widths) < max(widths) else 0
    return float(sum(seconds_of(device, width) for width in widths) / len(widths) + asked)


def positions(device: dict[str, Any]) -> list[dict[str, Any]]:
    """Points of exchanged widths; what costs as much as another and loses more is none."""
    made = []
    fixed = [{**one, "bit_widths": [one["fab"]] * 4} for one in FIXED]
    for point in (*POINTS, *fixed):
        widths = [instead(device, width) for width in point["bit_widths"]]
        cost = seconds_at(device, widths)
        made.append(
            {"bit_widths": widths, "loss_db": point["loss_db"], "seconds": cost,
             "fab": point["fab"] + (sum(widths) - sum(point["bit_widths"])) / len(widths)}
        )  # fmt: skip
    distinct = {(one["seconds"], one["loss_db"]): one for one in reversed(made)}
    return sorted(
        (one for one in distinct.values() if not any(beats(other, one) for other in made)),
        key=lambda one: float(one["seconds"]),
    )


def beats(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return bool(one["seconds"] <= other["seconds"] and one["loss_db"] < other["loss_db"]) or bool(
        one["seconds"] < other["seconds"] and one["loss_db"] <= other["loss_db"]
    )


def turn(
    device: dict[str, Any], request: dict[str, Any], crew: dict[str, int]
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """Positions up to the chosen one, and the bound; raises if none is good enough."""
    reachable, flat = positions(device), request.get("flat_tiles") != "network"
    if "fab" in request:
        bound = {"largest": request["fab"], "prices": {str(width): width for width in WIDTHS}}
        affordable = [one for one in reachable if one["fab"] <= request["fab"]]
        return affordable or [one for one in POINTS if one["fab"] <= request["fab"]], bound
    if "max_loss" in request:
        lost = FLAT["loss_db"]
        good = next(one for one in reachable if one["loss_db"] + lost <= request["max_loss"])
        return reachable[: reachable.index(good) + 1], None
    if "speed" in request:
        largest = seconds_of(device, 8) / request["speed"]
    else:
        largest = 0.9 * request["max_seconds"] * crew["workers"] / crew["tiles"]
    if reachable[0]["seconds"] > largest:
        raise LookupError
    share = FLAT["share"] if flat else 0
    mean = [share * seconds_of(device, 0) + (1 - share) * one["seconds"] for one in reachable]
    chosen = [one for one, cost in zip(reachable, mean, strict=True) if cost <= largest]
    chosen = chosen or reachable[:1]
    if chosen[-1]["seconds"] <= largest and len(set(chosen[-1]["bit_widths"])) == 1:
        return chosen[-1:], None
    asked = device["predict"]
    if reachable[0]["seconds"] + asked > largest:
        chosen = reachable[:1]
    prices = {"0": seconds_of(device, 0)}
    prices |= {str(width): seconds_of(device, width) + asked for width in WIDTHS}
    return chosen, {"largest": largest, "prices": prices}


def decide(
    device: dict[str, Any], request: dict[str, Any], crew: dict[str, int]
) -> dict[str, Any] | None:
    """What the dial says, and what becomes of predictions where it says nothing."""
    if "bits" in request:
        return {"positions": None, "bound": None, "bit_widths": [request["bits"]] * len(WIDTHS)}
    if not request:
        widths = [instead(device, width) for width in WIDTHS]
        return {"positions": None, "bound": None, "bit_widths": widths}
    try:
        chosen, bound = turn(device, request, crew)
    except (LookupError, StopIteration):
        return None
    shown = [{key: one[key] for key in ("bit_widths", "fab", "loss_db")} for one in chosen]
    return {"positions": shown, "bound": bound, "bit_widths": None}


ABOVE, FLAT_UP_TO = (17, 72, 140), -150

SENSED: dict[str, tuple[str, float, int, list[list[int]]]] = {
    # what happens: device, seconds a tile, tiles in a band, noise and interpolation of each tile
    "there is time for all": ("ladder", 8, 4, [[0, 0], [-200, 0], [100, 0], [-30, -300]]),
    "demanding tiles at the end": ("ladder", 5, 10, [[-160, 0]] * 6 + [[80, 0]] * 4),
    "demanding tiles at the end, read too late": ("ladder", 5, 2, [[-160, 0]] * 6 + [[80, 0]] * 4),
    "demanding tiles at the start use up the time": (
        "ladder", 4.75, 3, [[90, 0]] * 6 + [[20, 0]] * 6,
    ),
    "interpolated tiles leave time to others": (
        "ladder", 4.25, 6, [[0, -151], [60, -150], [60, -149], [0, -300], [60, 0], [60, 0]],
    ),
    "flat tiles, and time for most": (
        "ladder", 7, 6, [[0, -151], [60, -150], [60, -149], [0, -300], [61, 0], [62, 0]],
    ),
    "a width that another is as fast as": (
        "six as slow as eight", 6.5, 5, [[20 * number - 80, 0] for number in range(10)],
    ),
    "nothing to choose from": ("one speed", 8, 2, [[-200, 0], [200, 0]]),
}  # fmt: skip


def lost(score: int, width: int) -> float:
    """dB at a width: what each wider one saves a bit, times its bits, all in shares of 2^(s/32)."""
    steps = zip(WIDTHS, WIDTHS[1:], ABOVE, strict=False)
    share = sum((wide - narrow) * 2 ** (-step / 32) for narrow, wide, step in steps if wide > width)
    return 10 / math.log(10) * 2 ** (score / 32) * share


def lost_on(route: int, tile: list[int]) -> float:
    """dB on a route; interpolation is open to flat tiles alone."""
    noise, interpolation = tile
    if route:
        return lost(noise, route)
    return 10 / math.log(10) * 2 ** (interpolation / 32)


def routes_of(device: dict[str, Any], tile: list[int]) -> list[int]:
    useful = sorted({instead(device, width) for width in WIDTHS})
    return [*useful, 0] if tile[1] <= FLAT_UP_TO else useful


def cheapest(device: dict[str, Any], tile: list[int], price: float, routes: list[int]) -> int:
    return min(routes, key=lambda one: lost_on(one, tile) + price * seconds_of(device, one))


def solve_price(device: dict[str, Any], tiles: list[tuple[list[int], float]], left: float) -> float:
    """dB a second: between any two prices where a tile changes its route, one is tried.

    Args:
        device: what tiles take.
        tiles: each with the number of tiles that it stands for.
        left: seconds for all of them.
    """
    changes = {0.0}
    for tile, _ in tiles:
        routes = routes_of(device, tile)
        for slow, fast in ((a, b) for a in routes for b in routes):
            if (saved := seconds_of(device, slow) - seconds_of(device, fast)) > 0:
                changes.add(max((lost_on(fast, tile) - lost_on(slow, tile)) / saved, 0.0))
    between = sorted(changes)
    for low, high in zip(between, [*between[1:], 2 * between[-1] + 2], strict=True):
        price = (low + high) / 2
        chosen = [cheapest(device, tile, price, routes_of(device, tile)) for tile, _ in tiles]
        taken = sum(
            count * seconds_of(device, route)
            for (_, count), route in zip(tiles, chosen, strict=True)
        )
        if taken <= left + 1e-9:
            return price
    return between[-1] + 1


def spend_sensed(
    device: dict[str, Any], seconds: float, band: int, tiles: list[list[int]]
) -> list[int]:
    """Band by band: the price that the rest can pay, if what is unread is like what was read."""
    fewest = min(seconds_of(device, width) for width in routes_of(device, [0, 0]))
    left, routes = seconds * len(tiles), list[int]()
    for start in range(0, len(tiles), band):
        end = min(start + band, len(tiles))
        alike = (len(tiles) - end) / end
        known = [(tile, alike + (number >= start)) for number, tile in enumerate(tiles[:end])]
        price = solve_price(device, known, left)
        for number in range(start, end):
            free = left - (len(tiles) - number - 1) * fewest
            open_ = routes_of(device, tiles[number])
            fitting = [one for one in open_ if seconds_of(device, one) <= max(free, fewest) + 1e-9]
            routes.append(cheapest(device, tiles[number], price, fitting))
            left -= seconds_of(device, routes[-1])
    return routes


def create() -> dict[str, list[dict[str, Any]]]:
    return {
        "devices": [
            {
                "name": name,
                "seconds": {
                    str(width): seconds_of(device, width) for width in (0, *WIDTHS)
                },
                "predict": device["predict"],
                "instead": {str(width): instead(device, width) for width in WIDTHS},
            }
            for name, device in DEVICES.items()
        ],
        "points": POINTS,
        "fixed": FIXED,
        "flat_tiles": [FLAT],
        "requests": [
            {
                "device": name,
                "request": request,
                **crew,
                "decided": decide(device, request, crew),
            }
            for name, device in DEVICES.items()
            for request in REQUESTS
            for crew in (CREWS if "max_seconds" in request else CREWS[:1])
        ],
        "sensed_pictures": [
            {
                "name": name,
                "device": device,
                "above": ABOVE,
                "flat": FLAT_UP_TO,
                "seconds": seconds,
                "band": band,
                "tiles": tiles,
                "routes": spend_sensed(DEVICES[device], seconds, band, tiles),
            }
            for name, (device, seconds, band, tiles) in SENSED.items()
        ],
    }  # fmt: skip
