"""The cheapest way to spend bits: error against bits, on the lower convex hull."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Curve:
    """P ways to spend bits, from cheap to good; both bits and error are means over all tiles."""

    bits: NDArray[np.float64]
    """(P,), ascending."""
    errors: NDArray[np.float64]
    """(P,)."""

    def errors_at(self, bits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Errors at given mean bits; between two points, tiles are shared out between them."""
        return np.interp(bits, self.bits, self.errors)


@dataclass(frozen=True, eq=False)
class Frontier(Curve):
    """All choices that no other choice beats in both bits and error; errors descend."""

    choices: NDArray[np.intp]
    """(P, G), for each of G groups of tiles the index of its bit-width."""


def trace_frontier(
    bit_widths: Sequence[int], errors: NDArray[np.float64], counts: NDArray[np.intp]
) -> Frontier:
    """Lets groups of tiles buy bits, each time where a bit saves most.

    Each group's own hull is convex, so buying in the order of savings visits exactly the choices
    that minimise ``error + lambda * bits`` for some lambda (Shoham and Gersho, 1988).

    Args:
        bit_widths: W of them, ascending; every group starts with the first.
        errors: (G, W), summed over the tiles of a group.
        counts: (G,), tiles of each group.
    """
    steps = sorted(
        (
            (saving, group, index)
            for group in range(len(errors))
            for saving, index in _upgrades(np.outer(counts, bit_widths)[group], errors[group])
        ),
        key=lambda step: -step[0],
    )
    choice = np.zeros(len(errors), dtype=np.intp)
    choices = [choice]
    for _, group, index in steps:
        choice = choice.copy()
        choice[group] = index
        choices.append(choice)
    table, groups, tiles = np.stack(choices), np.arange(len(errors)), counts.sum()
    return Frontier(
        bits=(np.asarray(bit_widths)[table] * counts).sum(axis=1) / tiles,
        errors=errors[groups, table].sum(axis=1) / tiles,
        choices=table,
    )


def _upgrades(
    bits: NDArray[np.float64], errors: NDArray[np.float64]
) -> Iterator[tuple[float, int]]:
    """Steps along one group's lower hull, as long as bits save error: saving per bit, index."""
    current = 0
    while current + 1 < len(bits):
        later = slice(current + 1, None)
        savings = (errors[current] - errors[later]) / (bits[later] - bits[current])
        best = int(np.argmax(savings))
        if savings[best] <= 0:
            return
        current += 1 + best
        yield float(savings[best]), current
