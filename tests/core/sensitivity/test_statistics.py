from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gdq_core.sensitivity.statistics import (
    LARGEST_EXACT_SIDE,
    largest_statistics,
    logarithm,
    tile_statistics,
)


def lg(value: int) -> int:
    """floor(4 log2(1 + v)) in whole numbers: the largest k with 2^k <= (1 + v)^4."""
    return ((1 + value) ** 4).bit_length() - 1


def expected(tile: np.ndarray) -> list[int]:
    """The definition, loop by loop, of a tile whose sides are multiples of four."""
    height, width = tile.shape[:2]
    y = [[(77 * int(r) + 150 * int(g) + 29 * int(b) + 128) >> 8 for r, g, b in row] for row in tile]
    largest = {"D": {}, "G": {}}  # type: dict[str, dict[tuple[int, int], int]]
    for i in range(height - 1):
        for j in range(width - 1):
            a, b, c, d = y[i][j], y[i][j + 1], y[i + 1][j], y[i + 1][j + 1]
            block = i // 4, j // 4
            largest["D"][block] = max(largest["D"].get(block, 0), abs(a + d - b - c))
            largest["G"][block] = max(largest["G"].get(block, 0), abs(b - a), abs(c - a))

    def summed(side: int) -> list[list[int]]:
        return [
            [sum(y[i + k][j + m] for k in range(side) for m in range(side))
             for j in range(0, width, side)]
            for i in range(0, height, side)
        ]  # fmt: skip

    def diagonals(m: list[list[int]]) -> list[int]:
        return [
            abs(m[i][j] + m[i + 1][j + 1] - m[i][j + 1] - m[i + 1][j])
            for i in range(len(m) - 1)
            for j in range(len(m[0]) - 1)
        ]

    m4 = summed(4)
    laplacians = [
        abs(4 * m4[i][j] - m4[i - 1][j] - m4[i + 1][j] - m4[i][j - 1] - m4[i][j + 1])
        for i in range(1, len(m4) - 1)
        for j in range(1, len(m4[0]) - 1)
    ]
    d2, blocks, steps = diagonals(summed(2)), largest["D"].values(), largest["G"].values()
    return [
        lg(sum(d * d >> 4 for d in blocks)),
        sum(map(lg, blocks)),
        lg(sum(d >= 128 for d in blocks)),
        lg(sum(g >= 128 for g in steps)),
        sum(map(lg, diagonals(m4))),
        sum(map(lg, laplacians)),
        lg(sum(d2)),
        lg(sum((d >> 2) ** 2 >> 6 for d in d2)),
        lg(sum(map(sum, y))),
    ]


def draw(seed: int, side: int, contrast: float) -> np.ndarray:
    random = np.random.default_rng(seed)
    ramp = np.add.outer(np.arange(side), 2 * np.arange(side))[..., None]
    noise = contrast * random.normal(size=(side, side, 3))
    clipped: np.ndarray = np.clip(ramp + noise, 0, 255).astype(np.uint8)
    return clipped


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), side=st.sampled_from([16, 24, 32]), contrast=st.floats(0, 300))
def test_equal_the_definition(seed: int, side: int, contrast: float) -> None:
    tile = draw(seed, side, contrast)
    found = tile_statistics(tile, side)
    assert found.tolist() == expected(tile)
    assert (found <= largest_statistics(side)).all()
    assert (found >= 0).all()


@pytest.mark.parametrize("value", [0, 1, 2, 3, 4, 127, 4096, 2**23, 2**24 - 1])
def test_the_logarithm_is_exact(value: int) -> None:
    assert int(logarithm(value)) == lg(value)
    if value:
        assert int(logarithm(value)) == math.floor(4 * math.log2(1 + value) + 1e-12)


@pytest.mark.parametrize("period", [1, 2, 4])
@pytest.mark.parametrize("side", [96, LARGEST_EXACT_SIDE])
def test_no_sum_of_a_checkerboard_reaches_what_float32_cannot_hold(side: int, period: int) -> None:
    """The logarithm of 2^24 is 96; no diagonal differences are larger than a checkerboard's."""
    fields = np.add.outer(np.arange(side) // period, np.arange(side) // period) % 2
    board = np.repeat(255 * fields[..., None], 3, axis=2).astype(np.uint8)
    found = tile_statistics(board, side)
    assert found[[0, 2, 3, 6, 7, 8]].max() < 96
    assert (found <= largest_statistics(side)).all()


def test_rows_and_columns_beyond_a_multiple_of_four_take_no_part() -> None:
    tile = draw(3, 48, 40)
    larger = np.pad(tile, ((0, 3), (0, 2), (0, 0)), constant_values=200)
    np.testing.assert_array_equal(tile_statistics(larger, 48), tile_statistics(tile, 48))


def test_a_texture_looks_alike_in_tiles_of_all_sizes() -> None:
    """Sums are brought to the fitted size; what is left are edges and chance."""
    large = np.random.default_rng(0).integers(0, 256, (128, 96, 3)).astype(np.uint8)
    whole = tile_statistics(large[:96], 96).astype(float)
    for height, width in ((128, 96), (64, 96), (48, 48), (90, 70)):
        part = tile_statistics(large[:height, :width], 96)
        np.testing.assert_allclose(part, whole, rtol=0.03, atol=2)


def test_the_smallest_tile_has_statistics() -> None:
    tile = np.full((4, 4, 3), 90, np.uint8)
    assert tile_statistics(tile, 96).tolist()[:8] == [0] * 8
