"""Where the price of a bundle of two networks begins, by its measured tiles and what routes cost.

FAB says nothing where two networks have different sizes: what routes cost is counted in tiles at
the large network's largest bit-width, by the seconds of this device or, where they are not known,
by BitOPs. So the export cannot know where a price leads; it keeps tiles that say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from gdq_core.bit_widths import INTERPOLATED
from gdq_core.errors import RequestError
from gdq_core.sensitivity.heads import OCTAVE, Sensitivity
from gdq_core.sensitivity.pair import PairRule, PairSensitivity
from gdq_core.sensitivity.prices import decibels_per_bit
from gdq_runtime.bundle.manifest import MeasuredTile
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.costs import Costs

_PRICES: Final = range(10 * OCTAVE, -20 * OCTAVE, -4)
"""From where nothing but cost counts to where nothing but loss does."""


@dataclass(frozen=True)
class PairPosition:
    """A position of the dial of two networks.

    Attributes:
        price: in 1/32 octaves of dB a tile at the large network's largest bit-width.
        cost: of a tile, in such tiles.
        loss_db: below all tiles there; cost and loss are means over the measured tiles.

    """

    price: float
    cost: float
    loss_db: float

    @property
    def decibels_per_tile(self) -> float:
        """The price, which so much more time has to save of a picture at least."""
        return decibels_per_bit(self.price)


def relative_costs(bundle: Bundle, costs: Costs | None) -> dict[int, float]:
    """Return what routes cost, in tiles at the large network's largest bit-width.

    By seconds if ``costs`` are known, else by BitOPs. Interpolation is among them.
    """
    known = bundle.bit_operations if costs is None else costs.seconds
    largest = known[bundle.bit_widths[-1]] or 1
    return {route: known[route] / largest for route in (INTERPOLATED, *bundle.routes)}


def list_pair_positions(
    bundle: Bundle, routes: Sequence[int], costs: Mapping[int, float], *, interpolates: bool
) -> list[PairPosition]:
    """Return the positions that are worth having, cheapest first and each better than the last.

    Args:
        bundle: of two networks.
        routes: to choose among, through the networks.
        costs: see ``relative_costs``.
        interpolates: whether flat tiles may be interpolated.

    """
    assert bundle.manifest.small is not None
    tiles, rule = bundle.manifest.small.tiles, bundle.pair_rule()
    routes = (*routes, INTERPOLATED)
    cost = np.array([costs[route] for route in routes])
    expected = np.array([_expect(rule, tile, routes) for tile in tiles])
    measured = np.array([[tile.losses[route] for route in routes] for tile in tiles])
    flat = np.array([interpolates and rule.is_flat(_sensed(tile), tile.level) for tile in tiles])
    expected[~flat, -1] = np.inf
    positions: list[PairPosition] = []
    for price in _PRICES:
        chosen = np.argmin(expected + decibels_per_bit(price) * cost, axis=1)
        lost = measured[np.arange(len(tiles)), chosen].mean()
        # Better than all tiles at the largest width is luck, and counts as no loss.
        position = PairPosition(price, float(cost[chosen].mean()), max(0.0, float(lost)))
        if not positions or position.loss_db < positions[-1].loss_db:
            positions.append(position)
    return positions


def position_within_loss(positions: list[PairPosition], max_loss: float) -> PairPosition:
    """Return the cheapest position that loses no more.

    Raises:
        RequestError: there is none.

    """
    good = [position for position in positions if position.loss_db <= max_loss]
    if not good:
        smallest = positions[-1].loss_db
        raise RequestError(f"max-loss {max_loss} is below the smallest one, {smallest:.5f}")
    return good[0]


def position_within_cost(positions: list[PairPosition], largest: float) -> PairPosition:
    """Return the best position that costs no more, or the cheapest."""
    return [positions[0], *(one for one in positions if one.cost <= largest)][-1]


def _sensed(tile: MeasuredTile) -> PairSensitivity:
    return PairSensitivity(Sensitivity(*tile.large), Sensitivity(*tile.small))


def _expect(rule: PairRule, tile: MeasuredTile, routes: Sequence[int]) -> list[float]:
    return [rule.loss(_sensed(tile), tile.level, route) for route in routes]
