"""Tiles on the routes of two networks: what a runtime finds the positions of its dial by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gdq_core.bit_widths import INTERPOLATED
from gdq_core.sensitivity.picture_error import picture_level
from gdq_core.sensitivity.statistics import tile_statistics
from gdq_exporter.trade_off.tile_errors import Picture, TileLosses
from gdq_runtime.bundle.manifest import MeasuredTile
from gdq_runtime.bundle.reader import Bundle

LARGEST_LOSS: Final = 0.02
"""dB that two networks lose below the large one at its largest width, unless asked otherwise."""


def describe_tiles(
    bundle: Bundle, losses: TileLosses, pairs: Sequence[tuple[Picture, Picture]]
) -> list[MeasuredTile]:
    """Describe what was measured of tiles.

    Args:
        bundle: of two networks.
        losses: of N tiles, on its routes.
        pairs: N (tile, ground truth).
    """
    rule = bundle.pair_rule()
    side = rule.large.heads.side
    sensed = [rule.sense(tile_statistics(tile, side)) for tile, _ in pairs]
    pictures = losses.picture_of.tolist()
    levels = {
        picture: picture_level(
            tile.error for tile, its in zip(sensed, pictures, strict=True) if its == picture
        )
        for picture in set(pictures)
    }
    return [
        MeasuredTile(
            large=list(tile.large),
            small=list(tile.small),
            level=levels[picture],
            losses={
                INTERPOLATED: round(interpolated, 5),
                **{
                    route: round(loss, 5)
                    for route, loss in zip(losses.bit_widths, row, strict=True)
                },
            },
        )
        for tile, picture, row, interpolated in zip(
            sensed, pictures, losses.losses.tolist(), losses.interpolated.tolist(), strict=True
        )
    ]
