"""The activation bit-widths there are, and two numbers beside them that stand for no width.

Bit maps, reports and engines use one number for how a tile was upscaled: a bit-width of the
network, ``INTERPOLATED`` or ``FLOAT``.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

BitWidth = Literal[4, 5, 6, 8]
"""Activation bit-widths of Granular-DQ (paper, section 3.2)."""

BIT_WIDTHS: Final[tuple[BitWidth, ...]] = get_args(BitWidth)
"""All of them, ascending: also the order of a quantizer's steps and of a route's columns."""

INTERPOLATED: Final = 0
"""Stands for a tile that was interpolated and needed no network."""

FLOAT: Final = 32
"""Stands for the network in float, without its quantizers: a reference, never in a bundle."""


def name_of_width(bit_width: int) -> str:
    """Name a bit-width for a person: "4 bits", "interpolated" or "float"."""
    return {INTERPOLATED: "interpolated", FLOAT: "float"}.get(bit_width, f"{bit_width} bits")
