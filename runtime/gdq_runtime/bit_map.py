"""What a bit map says: FAB and BitOPs.

A bit map is uint8, (rows, columns), and tells how each tile of a picture was upscaled: at a
bit-width of the network, or ``INTERPOLATED``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gdq_core.bit_widths import INTERPOLATED


def compute_fab(bit_map: NDArray[np.uint8]) -> float:
    """Return the feature average bit-width of one image: the plain mean over its tiles.

    As released: all quantized layers of a tile run at the tile's bit-width, so the mean over
    layers is that bit-width; edge tiles are not weighted by area. An interpolated tile counts 0
    bits. The FAB of a set of images is the mean over them.
    """
    return float(np.mean(bit_map, dtype=np.float64))


def compute_network_fab(bit_map: NDArray[np.uint8]) -> float:
    """Return the FAB of only those tiles that went through the network; 0 if none did."""
    by_network = bit_map[bit_map != INTERPOLATED]
    return compute_fab(by_network) if by_network.size else 0.0


def count_bit_operations(
    tile_pixels: NDArray[np.integer],
    bit_map: NDArray[np.uint8],
    quantized_macs: int,
    float_macs: int,
) -> float:
    """Return the BitOPs of one image.

    BitOPs are the sum over layers and tiles of multiply-adds x weight bits x activation bits:
    8-bit weights and activations of the tile's bit-width in quantized layers, 32 x 32 in the others
    (van Baalen et al. 2020; the papers of this field count float layers at 32 bits, whatever they
    run at here). Overlap counts, since it is computed; interpolation does not.

    Args:
        tile_pixels: (rows, columns), number of low-resolution pixels of each tile.
        bit_map: (rows, columns), bit map of the same tiles.
        quantized_macs: multiply-adds per low-resolution pixel in quantized layers.
        float_macs: multiply-adds per low-resolution pixel in the other layers.

    """
    bits = bit_map.astype(np.float64)
    per_pixel = quantized_macs * 8 * bits + float_macs * 32 * 32 * (bit_map != INTERPOLATED)
    return float(np.sum(tile_pixels * per_pixel))


def count_bit_widths(bit_map: NDArray[np.uint8]) -> dict[int, int]:
    """Count the tiles of each bit-width that occurs, by ascending bit-width."""
    widths, counts = np.unique(bit_map, return_counts=True)
    return dict(zip(widths.tolist(), counts.tolist(), strict=True))
