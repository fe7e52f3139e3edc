"""The dial of sensitivity heads: what a bit may cost, and where that leads on measured tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gdq_core.sensitivity.picture_error import picture_level
from gdq_core.sensitivity.prices import NEVER
from gdq_core.sensitivity.rule import SensitivityRule
from gdq_exporter.trade_off.curves import as_point, as_points
from gdq_exporter.trade_off.frontier import Curve, trace_groups
from gdq_exporter.trade_off.tile_errors import Picture, TileLosses
from gdq_runtime.bundle.manifest import FlatTiles, PricePoint, TradeOff, TradeOffCurves

_MOST_PRICES = 40
"""Positions of the dial: between them, prices and losses are interpolated."""


@dataclass(frozen=True, eq=False)
class SensedTiles:
    """What the heads say of N tiles, relative to their pictures."""

    rule: SensitivityRule
    scores: NDArray[np.int64]
    """(N,), of noise."""
    is_flat: NDArray[np.bool_]
    """(N,)."""


def sense_tiles(
    rule: SensitivityRule, losses: TileLosses, pairs: Sequence[tuple[Picture, Picture]]
) -> SensedTiles:
    """Applies the heads; a picture's error is what they say of its measured tiles.

    Args:
        rule: heads and prices.
        losses: which tell the picture of each tile.
        pairs: N (tile, ground truth).
    """
    sensed = [rule.sense(tile) for tile, _ in pairs]
    pictures = losses.picture_of.tolist()
    levels = {
        picture: picture_level(
            tile.error for tile, its in zip(sensed, pictures, strict=True) if its == picture
        )
        for picture in set(pictures)
    }
    of_tile = [levels[picture] for picture in pictures]
    scores = [tile.noise - level for tile, level in zip(sensed, of_tile, strict=True)]
    flat = [rule.is_flat(tile, level) for tile, level in zip(sensed, of_tile, strict=True)]
    return SensedTiles(rule, np.array(scores), np.array(flat))


def find_price_dial(
    losses: TileLosses, sensed: SensedTiles, fitted_fab: float | None = None
) -> TradeOff:
    """Finds FAB and loss at every price, and curves to compare with at equal FAB.

    The heads were fitted to other tiles, so nothing needs to be held out.

    Args:
        losses: of the tiles, at each width.
        sensed: what the heads say of them.
        fitted_fab: mean bit-width of the tiles that the heads were fitted to at the rule's own
            price. They are far more than these tiles, so all prices are moved until the dial says
            the same; None leaves them as they were found here.
    """
    count = len(losses.losses)
    curve, prices = _trace_prices(losses, sensed)
    if fitted_fab is not None:
        found = float(np.interp(fitted_fab, curve.bits, prices))
        prices = [round(price + sensed.rule.price - found) for price in prices]
    random = trace_groups(losses.bit_widths, losses.losses, np.zeros(count, dtype=np.intp))
    oracle = trace_groups(losses.bit_widths, losses.losses, np.arange(count))
    return TradeOff(
        tiles=count,
        prices=[
            PricePoint(**as_point(*values).model_dump(), price=price)
            for *values, price in zip(curve.bits, curve.losses, prices, strict=True)
        ],
        predictor=as_point(*_spend(losses, sensed, sensed.rule.price)),
        fixed=[
            as_point(width, loss)
            for width, loss in zip(losses.bit_widths, losses.losses.mean(axis=0), strict=True)
        ],
        curves=TradeOffCurves(
            sensitivity=as_points(curve), random=as_points(random), oracle=as_points(oracle)
        ),
    )


def count_flat_tiles(losses: TileLosses, sensed: SensedTiles) -> FlatTiles | None:
    """Tell what interpolating the tiles that the heads call flat costs; None if none ever is."""
    if sensed.rule.flat == -NEVER:
        return None
    lost = float(losses.interpolated[sensed.is_flat].sum()) / len(sensed.is_flat)
    return FlatTiles(share=float(sensed.is_flat.mean()), loss_db=round(max(0.0, lost), 5))


def _trace_prices(losses: TileLosses, sensed: SensedTiles) -> tuple[Curve, list[int]]:
    """Prices from the dearest, all tiles at few bits, to the cheapest; equal FABs once.

    Of prices at which all tiles have the fewest bits, the lowest is kept, of others the highest: a
    price that follows its target can leave both ends.
    """
    low, high = int(sensed.scores.min()) - NEVER, int(sensed.scores.max()) + NEVER
    spent: dict[float, tuple[float, int]] = {}
    for price in range(high, low, -1):
        bits, loss = _spend(losses, sensed, price)
        if len(spent) <= 1 and bits in spent:
            spent[bits] = loss, price
        spent.setdefault(bits, (loss, price))
    kept = np.unique(np.linspace(0, len(spent) - 1, _MOST_PRICES).round().astype(int))
    points = [list(spent.items())[index] for index in kept]
    fabs, lost = [fab for fab, _ in points], [loss for _, (loss, _) in points]
    return Curve(np.array(fabs), np.array(lost)), [price for _, (_, price) in points]


def _spend(losses: TileLosses, sensed: SensedTiles, price: int) -> tuple[float, float]:
    """Mean bits and mean loss at a price."""
    widths = sensed.rule.steps.choose_all(sensed.scores, price)
    columns = np.searchsorted(losses.bit_widths, widths)
    lost = losses.losses[np.arange(len(columns)), columns].mean()
    return float(widths.mean()), float(lost)
