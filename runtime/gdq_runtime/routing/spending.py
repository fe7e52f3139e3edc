"""What a picture's tiles cost by the costs of this device, beside their bits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gdq_runtime.engines.costs import Costs
from gdq_runtime.routing.dial import Crew
from gdq_runtime.routing.router import Router


@dataclass(frozen=True)
class Spending:
    """Time of a picture, computed from kept costs and not from a clock: it can be reproduced.

    Attributes:
        tile_seconds: processor time of a tile, mean over the bit map, the predictor's included.
        speed: that of all tiles at the largest bit-width, over it.
        expected_seconds: of the whole picture, as it was expected before; None where the
            predictor's own decisions cannot be foreseen.

    """

    tile_seconds: float
    speed: float
    expected_seconds: float | None


def add_up(
    costs: Costs | None, router: Router, bit_map: NDArray[np.uint8], crew: Crew
) -> Spending | None:
    """Compute the spending of a picture; None if the costs of this device are not known."""
    expected = router.expected_seconds
    if costs is None:
        return None
    seconds = costs.tile_seconds(bit_map, is_predicted=router.asks_predictor)
    return Spending(
        tile_seconds=seconds,
        speed=costs.largest_seconds / seconds,
        expected_seconds=None if expected is None else crew.elapsed(expected),
    )
