from __future__ import annotations

import numpy as np

from gdq_core.bit_widths import INTERPOLATED, SMALL
from gdq_runtime.bit_map import (
    bit_operations_per_pixel,
    compute_fab,
    compute_network_fab,
    count_bit_operations,
    count_bit_widths,
)


def test_fab_is_the_mean_over_tiles() -> None:
    assert compute_fab(np.array([[4, 5], [6, 8]], dtype=np.uint8)) == 5.75
    assert compute_fab(np.full((200, 200), 8, dtype=np.uint8)) == 8.0


def test_interpolated_tiles_count_no_bits_in_one_fab_and_nothing_in_the_other() -> None:
    bit_map = np.array([[0, 8], [4, 0]], dtype=np.uint8)
    assert compute_fab(bit_map) == 3
    assert compute_network_fab(bit_map) == 6
    assert compute_network_fab(np.zeros((2, 2), dtype=np.uint8)) == 0


def test_bit_operations_of_the_published_setting() -> None:
    """EDSR x4, one LR image of 50,246 pixels: 102.0 T in float, paper notes, section 4."""
    pixels = np.array([[50_246]])
    per_pixel = {4: bit_operations_per_pixel(4, 1_179_648, 803_520), 0: 0.0}
    four = count_bit_operations(pixels, np.array([[4]], dtype=np.uint8), per_pixel)
    assert four == 50_246 * (1_179_648 * 32 + 803_520 * 1024)
    assert count_bit_operations(pixels, np.array([[0]], dtype=np.uint8), per_pixel) == 0


def test_bit_operations_add_up_over_tiles() -> None:
    pixels, bits = np.array([[9, 4]]), np.array([[8, 5]], dtype=np.uint8)
    per_pixel = {width: bit_operations_per_pixel(width, 10, 0) for width in (5, 8)}
    assert count_bit_operations(pixels, bits, per_pixel) == 10 * 8 * (9 * 8 + 4 * 5)


def test_bits_of_two_networks_are_averaged_together() -> None:
    bit_map = np.array([[SMALL + 4, 8], [INTERPOLATED, SMALL + 8]], dtype=np.uint8)
    assert compute_fab(bit_map) == 5
    assert compute_network_fab(bit_map) == 20 / 3


def test_tiles_are_counted_by_width() -> None:
    assert count_bit_widths(np.array([[8, 0, 4], [8, 8, 4]], dtype=np.uint8)) == {0: 1, 4: 2, 8: 3}
