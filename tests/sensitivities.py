"""Sensitivity heads drawn at random, and tiles on which their arithmetic is hardest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gdq_core.sensitivity.heads import SensitivityHeads
from gdq_core.sensitivity.prices import PriceSteps
from gdq_core.sensitivity.rule import SensitivityRule

Tile = NDArray[np.uint8]


def draw_rule(side: int = 32, seed: int = 0, price: int = -60, flat: int = -150) -> SensitivityRule:
    random = np.random.default_rng(seed)
    heads = SensitivityHeads(
        random.integers(-700, 700, (3, 9)), random.integers(-(1 << 22), 1 << 22, 3), side
    )
    return SensitivityRule(heads, PriceSteps((17, 72, 140)), price, flat)


def draw_tiles(height: int, width: int | None = None) -> list[Tile]:
    """One colour, ramps, noise of all strengths, text-like contrasts and checkerboards."""
    width = height if width is None else width
    random = np.random.default_rng(height * 1000 + width)
    rows, columns = np.indices((height, width))
    grays = [np.full((height, width), level) for level in (0, 1, 127, 255)]
    grays += [np.clip(rows + 2 * columns, 0, 255), 255 * (rows > columns), 255 * (columns > 9)]
    grays += [255 * ((rows // size + columns // size) % 2) for size in (1, 2, 4, 8)]
    grays += [255 * ((rows + columns) // size % 2) for size in (1, 2, 3, 4)]
    tiles = [np.repeat(gray[..., None], 3, axis=2) for gray in grays]
    for strength in (1, 5, 30, 300):
        noise = strength * random.normal(size=(height, width, 3))
        tiles.append(np.clip(100 + rows[..., None] + noise, 0, 255))
    tiles += [
        random.integers(0, 256, (height, width, 3)),
        255 * random.integers(0, 2, (height, width, 3)),
    ]
    return [np.ascontiguousarray(tile, np.uint8) for tile in tiles]
