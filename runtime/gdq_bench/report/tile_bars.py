"""Layout of the bars of one tile, a group for each cluster; the template only draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gdq_bench.protocol import TileTimes, name_bits


@dataclass(frozen=True)
class Bar:
    """One engine at one width.

    Attributes:
        name: engine and bits.
        engine: number of the engine, which chooses the colour.
        milliseconds: median.
        share: length, of the longest bar of its cluster.
        lower: where the quartiles begin, likewise.
        upper: where they end, likewise; may be beyond 1.

    """

    name: str
    engine: int
    milliseconds: float
    share: float
    lower: float
    upper: float


def lay_out_bars(tiles: Sequence[TileTimes]) -> dict[str, list[Bar]]:
    """Return the bars of each cluster, in the order in which they were measured."""
    engines = list(dict.fromkeys(tile.engine for tile in tiles))
    groups: dict[str, list[Bar]] = {}
    for cluster in dict.fromkeys(tile.cluster or "" for tile in tiles):
        members = [tile for tile in tiles if (tile.cluster or "") == cluster]
        longest = max(tile.wall.upper for tile in members)
        groups[cluster] = [
            Bar(
                name=f"{tile.engine}, {name_bits(tile.bits)}",
                engine=engines.index(tile.engine),
                milliseconds=1e3 * tile.wall.median,
                share=tile.wall.median / longest,
                lower=tile.wall.lower / longest,
                upper=tile.wall.upper / longest,
            )
            for tile in members
        ]
    return groups
