"""Fast convolution from its published matrices, in 64-bit integers: y = A^T ((G g) . (B^T d)).

F(2,3) and F(4,3): Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016.
K(4,3): a Winograd algorithm of the moduli x, x - 1, x + 1, x^2 + 1 and infinity; its outputs are
twice the convolution. Written from the formulas and sharing nothing with the engine, which is
compared with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Reals = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Algorithm:
    """One dimension of it."""

    data: Integers
    """B^T: (points, inputs)."""
    weights: Reals
    """G: (points, 3)."""
    outputs: Reals
    """A^T: (outputs, points)."""
    factor: int = 1
    """What the outputs are a multiple of the convolution by."""


DIRECT = Algorithm(np.eye(3, dtype=np.int64), np.eye(3), np.ones((1, 3)))

F2 = Algorithm(
    np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]]),
    np.array([[2, 0, 0], [1, 1, 1], [1, -1, 1], [0, 0, 2]]) / 2,
    np.array([[1.0, 1, 1, 0], [0, 1, -1, -1]]),
)

K4 = Algorithm(
    np.array(
        [
            [1, 0, 0, 0, -1, 0],
            [0, 1, 1, 1, 1, 0],
            [0, -1, 1, -1, 1, 0],
            [0, 1, 1, -1, -1, 0],
            [0, -1, 1, 1, -1, 0],
            [0, 1, 0, -1, 0, 0],
            [0, -1, 0, 0, 0, 1],
        ]
    ),
    np.array(
        [[2, 0, 0], [1, 1, 1], [1, -1, 1], [-1, 0, 1], [0, 2, 0], [1, 1, -1], [0, 0, 2]]
    ) / 2,
    np.array(
        [
            [2.0, 1, 1, 2, 0, 2, 0],
            [0, 1, -1, 0, 1, 2, 0],
            [0, 1, 1, -2, 0, -2, 0],
            [0, 1, -1, 0, -1, -2, 2],
        ]
    ),
    factor=2,
)  # fmt: skip

_LAVIN_GRAY_WEIGHTS = (
    np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / 24
)
_LENGTHS = np.linalg.norm(_LAVIN_GRAY_WEIGHTS, axis=1)
# The engine gives the rows of G length one, and takes the lengths into A^T.
F4 = Algorithm(
    np.array(
        [
            [4, 0, -5, 0, 1, 0],
            [0, -4, -4, 1, 1, 0],
            [0, 4, -4, -1, 1, 0],
            [0, -2, -1, 2, 1, 0],
            [0, 2, -1, -2, 1, 0],
            [0, 4, 0, -5, 0, 1],
        ]
    ),
    _LAVIN_GRAY_WEIGHTS / _LENGTHS[:, None],
    np.array(
        [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]]
    ) * _LENGTHS,
)  # fmt: skip

KERNELS = {
    "direct_int8": (DIRECT, DIRECT),
    "f22_int8": (F2, F2),
    "k42_int8": (K4, F2),
    "k44_int8": (K4, K4),
    "f44_int16": (F4, F4),
}
"""Name -> algorithm along the rows, along the columns."""


HALVED = {id(DIRECT): [], id(F2): [], id(K4): [1, 2, 4], id(F4): []}
"""Points whose sums are halved where layers end in integers, so that A^T needs additions only."""


def products(kernel: str, padded: Integers, transformed: NDArray[np.integer[Any]]) -> Integers:
    """Sums over input channels at each point of each tile.

    padded: (tiles down * rows + 2, tiles across * columns + 2, in); transformed: (points, out, in).
    Returns (tiles down, tiles across, points down, points across, out).
    """
    down, across = KERNELS[kernel]
    corners = _tiles(padded, down, across)
    data = np.einsum("iy,jx,abyxc->abijc", down.data, across.data, corners)
    weights = transformed.reshape(len(down.data), len(across.data), *transformed.shape[1:])
    # A matrix product at each point: integers of fewer than 53 bits, which float64 holds exactly.
    sums: Reals = np.einsum(
        "abijc,ijoc->abijo", data.astype(np.float64), weights.astype(np.float64), optimize=True
    )
    assert np.abs(sums).max() < 2**53
    return sums.astype(np.int64)


def outputs(kernel: str, sums: Integers) -> Reals:
    """Tiles' outputs put together: (height, width, out)."""
    down, across = KERNELS[kernel]
    tiles: Reals = np.einsum(
        "yi,xj,abijo->aybxo", down.outputs, across.outputs, sums.astype(np.float64)
    )
    a, y, b, x, out = tiles.shape
    return tiles.reshape(a * y, b * x, out)


def pad_codes(kernel: str, codes: NDArray[np.int16], outside: int = 0) -> Integers:
    """(height, width, in) with a border of one, and what tiles need beyond the map."""
    down, across = KERNELS[kernel]
    beyond = (-codes.shape[0] % len(down.outputs), -codes.shape[1] % len(across.outputs))
    widths = ((1, 1 + beyond[0]), (1, 1 + beyond[1]), (0, 0))
    return np.pad(codes.astype(np.int64), widths, constant_values=outside)


def direct_convolution(codes: NDArray[np.int16], weights: NDArray[np.float32]) -> Reals:
    """3x3, padded with zeros, in float64: (height, width, in), (out, in, 3, 3)."""
    height, width, _ = codes.shape
    padded = np.pad(codes.astype(np.float64), ((1, 1), (1, 1), (0, 0)))
    taps = [
        padded[y : y + height, x : x + width] @ weights[:, :, y, x].T.astype(np.float64)
        for y in range(3)
        for x in range(3)
    ]
    summed: Reals = np.sum(taps, axis=0)
    return summed


def _tiles(padded: Integers, down: Algorithm, across: Algorithm) -> Integers:
    """(tiles down, tiles across, inputs down, inputs across, in)."""
    rows, columns = len(down.outputs), len(across.outputs)
    inputs = (down.data.shape[1], across.data.shape[1])
    views = np.lib.stride_tricks.sliding_window_view(padded, inputs, axis=(0, 1))
    return np.moveaxis(views[::rows, ::columns], 2, -1)
