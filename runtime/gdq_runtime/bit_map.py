"""What a bit map says: FAB and BitOPs.

A bit map is uint8, (rows, columns), and tells how each tile of a picture was upscaled: at a
bit-width of the network, at ``SMALL`` plus one of a small network, or ``INTERPOLATED``.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gdq_core.bit_widths import INTERPOLATED, SMALL


def compute_fab(bit_map: NDArray[np.uint8]) -> float:
    """Return the feature average bit-width of one image: the plain mean over its tiles.

    As released: all quantized layers of a tile run at the tile's bit-width, so the mean over
    layers is that bit-width; edge tiles are not weighted by area. An interpolated tile counts 0
    bits. The FAB of a set of images is the mean over them.

    Of two networks it is the mean of their tiles' bits, and says little of what a picture cost.
    """
    return float(np.mean(bit_map % SMALL, dtype=np.float64))


def compute_network_fab(bit_map: NDArray[np.uint8]) -> float:
    """Return the FAB of only those tiles that went through the network; 0 if none did."""
    by_network = bit_map[bit_map != INTERPOLATED]
    return compute_fab(by_network) if by_network.size else 0.0


def bit_operations_per_pixel(bit_width: int, quantized_macs: int, float_macs: int) -> float:
    """Return the BitOPs of a network at a bit-width, per low-resolution pixel.

    BitOPs are the sum over layers and tiles of multiply-adds x weight bits x activation bits:
    8-bit weights and activations of the tile's bit-width in quantized layers, 32 x 32 in the others
    (van Baalen et al. 2020; the papers of this field count float layers at 32 bits, whatever they
    run at here).

    Args:
        bit_width: of the activations in quantized layers.
        quantized_macs: multiply-adds per low-resolution pixel in quantized layers.
        float_macs: multiply-adds per low-resolution pixel in the other layers.

    """
    return float(quantized_macs * 8 * bit_width + float_macs * 32 * 32)


def count_bit_operations(
    tile_pixels: NDArray[np.integer],
    bit_map: NDArray[np.uint8],
    per_pixel: Mapping[int, float],
) -> float:
    """Return the BitOPs of one image. Overlap counts, since it is computed.

    Args:
        tile_pixels: (rows, columns), number of low-resolution pixels of each tile.
        bit_map: (rows, columns), bit map of the same tiles.
        per_pixel: what the bit map says of a tile -> BitOPs per low-resolution pixel.

    """
    return float(
        sum(count * int(tile_pixels[bit_map == route].sum()) for route, count in per_pixel.items())
    )


def count_bit_widths(bit_map: NDArray[np.uint8]) -> dict[int, int]:
    """Count the tiles of each bit-width that occurs, by ascending bit-width."""
    widths, counts = np.unique(bit_map, return_counts=True)
    return dict(zip(widths.tolist(), counts.tolist(), strict=True))
