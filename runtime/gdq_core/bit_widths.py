"""The activation bit-widths there are, and the routes of tiles that are named by them.

Bit maps, reports and engines use one number for the route of a tile, that is how it was upscaled: a
bit-width of the network, ``SMALL`` plus a bit-width of a bundle's small network, ``INTERPOLATED``
or ``FLOAT``.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

BitWidth = Literal[4, 5, 6, 8]
"""Activation bit-widths of Granular-DQ (paper, section 3.2)."""

BIT_WIDTHS: Final[tuple[BitWidth, ...]] = get_args(BitWidth)
"""All of them, ascending: also the order of a quantizer's steps and of a route's columns."""

INTERPOLATED: Final = 0
"""Stands for a tile that was interpolated and needed no network."""

SMALL: Final = 64
"""Added to the bit-width of a tile that the small network of a bundle of two networks ran."""

FLOAT: Final = 32
"""Stands for the network in float, without its quantizers: a reference, never in a bundle."""


def name_of_width(route: int) -> str:
    """Name a route for a person: "4 bits", "small 4 bits", "interpolated" or "float"."""
    if route > SMALL:
        return f"small {name_of_width(route - SMALL)}"
    return {INTERPOLATED: "interpolated", FLOAT: "float"}.get(route, f"{route} bits")


def name_of_route(route: int) -> str:
    """Name a route by what a table has room for: "4", "small 4", or "0" for interpolation."""
    return f"small {route - SMALL}" if route > SMALL else str(route)
