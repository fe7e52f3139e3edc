"""What few bits cost a tile, and how a picture decides with it: the definition, loop by loop."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

SIDE = 32
STEPS, PRICE, FLAT = [17, 72, 140], -120, -260
DRAWN = np.random.default_rng(7)
WEIGHTS: list[list[int]] = DRAWN.integers(-700, 700, (3, 9)).tolist()
BIASES: list[int] = DRAWN.integers(-(1 << 22), 1 << 22, 3).tolist()


def lg(value: int) -> int:
    """floor(4 log2(1 + v)): the largest k with 2^k <= (1 + v)^4."""
    return ((1 + value) ** 4).bit_length() - 1


def diagonals(z: list[list[int]]) -> dict[tuple[int, int], int]:
    return {
        (i, j): abs(z[i][j] + z[i + 1][j + 1] - z[i][j + 1] - z[i + 1][j])
        for i in range(len(z) - 1)
        for j in range(len(z[0]) - 1)
    }


def sum_squares(y: list[list[int]], side: int) -> list[list[int]]:
    return [
        [sum(y[i + k][j + m] for k in range(side) for m in range(side))
         for j in range(0, len(y[0]), side)]
        for i in range(0, len(y), side)
    ]  # fmt: skip


def largest_of_blocks(values: dict[tuple[int, int], int]) -> list[int]:
    blocks: dict[tuple[int, int], int] = {}
    for (i, j), value in values.items():
        blocks[i // 4, j // 4] = max(blocks.get((i // 4, j // 4), 0), value)
    return list(blocks.values())


def statistics(tile: list[list[list[int]]]) -> list[int]:
    height, width = len(tile) // 4 * 4, len(tile[0]) // 4 * 4
    y = [
        [(77 * r + 150 * g + 29 * b + 128) >> 8 for r, g, b in row[:width]] for row in tile[:height]
    ]
    steps = {
        (i, j): max(abs(y[i][j + 1] - y[i][j]), abs(y[i + 1][j] - y[i][j]))
        for i in range(height - 1)
        for j in range(width - 1)
    }
    m2, m4 = sum_squares(y, 2), sum_squares(y, 4)
    laplacians = [
        abs(4 * m4[i][j] - m4[i - 1][j] - m4[i + 1][j] - m4[i][j - 1] - m4[i][j + 1])
        for i in range(1, len(m4) - 1)
        for j in range(1, len(m4[0]) - 1)
    ]
    d2, d4 = list(diagonals(m2).values()), list(diagonals(m4).values())
    largest, step = largest_of_blocks(diagonals(y)), largest_of_blocks(steps)
    terms: list[tuple[list[int], int]] = [
        ([d * d >> 4 for d in largest], (SIDE // 4) ** 2),
        ([lg(d) for d in largest], (SIDE // 4) ** 2),
        ([int(d >= 128) for d in largest], (SIDE // 4) ** 2),
        ([int(g >= 128) for g in step], (SIDE // 4) ** 2),
        ([lg(d) for d in d4], (SIDE // 4 - 1) ** 2),
        ([lg(v) for v in laplacians], (SIDE // 4 - 2) ** 2),
        (d2, (SIDE // 2 - 1) ** 2),
        ([(d >> 2) ** 2 >> 6 for d in d2], (SIDE // 2 - 1) ** 2),
        ([value for row in y for value in row], SIDE**2),
    ]
    sums = [sum(t) * fitted // len(t) if t else 0 for t, fitted in terms]
    return [total if number in (1, 4, 5) else lg(total) for number, total in enumerate(sums)]


def heads(found: list[int]) -> list[int]:
    return [
        (sum(w * x for w, x in zip(row, found, strict=True)) + bias) >> 14
        for row, bias in zip(WEIGHTS, BIASES, strict=True)
    ]


def level(errors: list[int]) -> int:
    """32 log2 of the mean of 2^(e / 32), in integers."""
    powers = [round(2 ** (15 + step / 32)) for step in range(32)]
    within = [min(max(error, -256), 640) for error in errors]
    mean = sum(powers[e % 32] << (e // 32 + 8) for e in within) // len(within)
    octave = mean.bit_length() - 16
    return 32 * (octave - 8) + sum(power <= mean >> octave for power in powers) - 1


def decide(
    bands: list[list[list[int]]], fab: float | None, cap: float | None, start: float
) -> tuple[list[list[int]], float]:
    """Widths of each band, 0 where a tile is flat; three bands more are read before each."""
    price, tiles, spent, decided = start, 0, 0, list[list[int]]()
    for number, band in enumerate(bands):
        seen = level([tile[1] for other in bands[: number + 4] for tile in other])
        decided.append([])
        for noise, _, interpolation in band:
            if interpolation - seen <= FLAT:
                decided[-1].append(0)
                continue
            bought = sum(noise - seen - price >= step for step in STEPS)
            width, tiles = (4, 5, 6, 8)[bought], tiles + 1
            if cap is not None:
                fitting = [w for w in (4, 5, 6, 8) if w <= min(width, cap * tiles - spent)]
                width = fitting[-1] if fitting else 4
            spent += width
            if fab is not None:
                moved = price + 0.02 * 32 / math.log(2) * (width - fab)
                price = min(max(moved, start - 192), start + 192)
            decided[-1].append(width)
    return decided, price


def draw_tiles() -> list[list[list[list[int]]]]:
    random = np.random.default_rng(3)
    sizes = [(32, 32)] * 4 + [(16, 20), (35, 33), (4, 4)]
    tiles = []
    for number, (height, width) in enumerate(sizes):
        ramp = np.add.outer(3 * np.arange(height), 5 * np.arange(width))[..., None]
        noise = (0, 4, 60, 400)[number % 4] * random.normal(size=(height, width, 3))
        tiles.append(np.clip(ramp + noise, 0, 255).astype(int).tolist())
    return tiles


def draw_bands(seed: int) -> list[list[list[int]]]:
    drawn = np.random.default_rng(seed).integers((-150, -20, -300), (60, 100, 50), (7, 5, 3))
    bands: list[list[list[int]]] = drawn.tolist()
    return bands


def create() -> dict[str, list[dict[str, Any]]]:
    rule = {
        "side": SIDE, "weights": WEIGHTS, "biases": BIASES, "steps": STEPS, "price": PRICE,
        "flat": FLAT,
    }  # fmt: skip
    tiles = [
        {"tile": tile, "statistics": statistics(tile), "heads": heads(statistics(tile))}
        for tile in draw_tiles()
    ]
    lists = [[0], [-400], [900], [5, 5, 5], [31, 32, 33], [-300, 700], [10, 100, 200, 250]]
    pictures = []
    for seed, (fab, cap) in enumerate(
        [(None, None), (4.6, None), (5.5, None), (None, 4.5), (5.0, 5.25)]
    ):
        bands = draw_bands(seed)
        widths, price = decide(bands, fab, cap, float(PRICE))
        pictures.append(
            {"bands": bands, "fab": fab, "cap": cap, "bit_widths": widths, "price": price}
        )
    return {
        "rule": [rule],
        "tiles": tiles,
        "levels": [{"errors": errors, "level": level(errors)} for errors in lists],
        "pictures": pictures,
    }
