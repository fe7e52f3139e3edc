"""Cubic interpolation as the kernel's definition has it, in fractions: rounded once, at the end."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import Any

import numpy as np

SHARPNESS = Fraction(-3, 4)
"""The kernel's parameter a (Keys 1981), as OpenCV has it."""

SAMPLES = (
    # scale, height, width, channels that differ, seed: none has a value so near to one half that
    # libraries, which round the kernel, could differ
    (1, 3, 2, 3, 0), (2, 1, 1, 3, 0), (2, 1, 5, 3, 0), (2, 2, 3, 3, 0), (2, 8, 7, 3, 0),
    (3, 1, 1, 3, 0), (3, 2, 3, 1, 646), (3, 3, 3, 1, 3851), (3, 1, 5, 1, 1344),
    (4, 1, 4, 3, 0), (4, 6, 5, 3, 0),
)  # fmt: skip


def kernel(distance: Fraction) -> Fraction:
    """The weight of a sample at a distance, in pixels."""
    x, a = abs(distance), SHARPNESS
    if x <= 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    if x < 2:
        return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a
    return Fraction(0)


def weights(place: int, length: int, scale: int) -> dict[int, Fraction]:
    """Pixel -> weight, for a place along a side; pixels beyond the border repeat the last one."""
    centre = (place + Fraction(1, 2)) / scale - Fraction(1, 2)
    shares: dict[int, Fraction] = {}
    for pixel in range(floor(centre) - 1, floor(centre) + 3):
        inside = min(max(pixel, 0), length - 1)
        shares[inside] = shares.get(inside, Fraction(0)) + kernel(centre - pixel)
    return shares


def interpolate(tile: list[list[list[int]]], scale: int) -> list[list[list[int]]]:
    """(height, width, 3) -> (height * scale, width * scale, 3), rounded once and clamped."""
    down = [weights(y, len(tile), scale) for y in range(len(tile) * scale)]
    across = [weights(x, len(tile[0]), scale) for x in range(len(tile[0]) * scale)]
    return [
        [
            [
                min(max(floor(value + Fraction(1, 2)), 0), 255)
                for value in (
                    sum(v * h * tile[y][x][c] for y, v in rows.items() for x, h in columns.items())
                    for c in range(3)
                )
            ]
            for columns in across
        ]
        for rows in down
    ]


def create() -> dict[str, list[dict[str, Any]]]:
    samples = []
    for scale, height, width, channels, seed in SAMPLES:
        random = np.random.default_rng(seed).integers(0, 256, (height, width, channels))
        tile = np.broadcast_to(random, (height, width, 3)).tolist()
        samples.append({"scale": scale, "tile": tile, "result": interpolate(tile, scale)})
    return {"tiles": samples}
