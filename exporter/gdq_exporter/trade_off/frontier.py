"""The cheapest way to spend bits: loss against bits, on the lower convex hull."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Curve:
    """P ways to spend bits, cheapest first; bits and losses in dB are means over all tiles."""

    bits: NDArray[np.float64]
    """(P,), ascending."""
    losses: NDArray[np.float64]
    """(P,)."""

    def losses_at(self, bits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return losses at given mean bits; between two points, tiles are divided among both."""
        return np.interp(bits, self.bits, self.losses)


@dataclass(frozen=True, eq=False)
class Frontier(Curve):
    """All choices that no other choice beats in both bits and loss; losses descend."""

    choices: NDArray[np.intp]
    """(P, G), for each of G groups of tiles the index of its bit-width."""


def trace_frontier(
    bit_widths: Sequence[int], losses: NDArray[np.float64], counts: NDArray[np.intp]
) -> Frontier:
    """Let groups of tiles buy bits, each time where a bit saves the most loss.

    Each group's own hull is convex, so buying in the order of savings visits exactly the choices
    that minimise ``loss + lambda * bits`` for some lambda (Shoham and Gersho, 1988).

    Args:
        bit_widths: W of them, ascending; every group starts with the first.
        losses: (G, W), summed over the tiles of a group.
        counts: (G,), tiles of each group.
    """
    steps = sorted(
        (
            (saving, group, index)
            for group in range(len(losses))
            for saving, index in _upgrades(np.outer(counts, bit_widths)[group], losses[group])
        ),
        key=lambda step: -step[0],
    )
    choice = np.zeros(len(losses), dtype=np.intp)
    choices = [choice]
    for _, group, index in steps:
        choice = choice.copy()
        choice[group] = index
        choices.append(choice)
    table, groups, tiles = np.stack(choices), np.arange(len(losses)), counts.sum()
    return Frontier(
        bits=(np.asarray(bit_widths)[table] * counts).sum(axis=1) / tiles,
        losses=losses[groups, table].sum(axis=1) / tiles,
        choices=table,
    )


def trace_groups(
    bit_widths: Sequence[int], losses: NDArray[np.float64], bin_of: NDArray[np.intp]
) -> Frontier:
    """The same for tiles, each of which belongs to a group.

    Args:
        bit_widths: W of them, ascending.
        losses: (N, W), of each tile.
        bin_of: (N,), number of its group, from 0.
    """
    bins = int(bin_of.max()) + 1
    summed = np.zeros((bins, len(bit_widths)))
    np.add.at(summed, bin_of, losses)
    return trace_frontier(bit_widths, summed, np.bincount(bin_of, minlength=bins))


def _upgrades(
    bits: NDArray[np.float64], losses: NDArray[np.float64]
) -> Iterator[tuple[float, int]]:
    """Yield (saving per bit, index) along a group's lower hull, while bits save loss."""
    current = 0
    while current + 1 < len(bits):
        later = slice(current + 1, None)
        savings = (losses[current] - losses[later]) / (bits[later] - bits[current])
        best = int(np.argmax(savings))
        if savings[best] <= 0:
            return
        current += 1 + best
        yield float(savings[best]), current
