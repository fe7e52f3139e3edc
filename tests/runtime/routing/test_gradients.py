from __future__ import annotations

import numpy as np
import pytest

from gdq_runtime.routing.gradients import mean_gradient


def test_one_colour_is_flat() -> None:
    assert mean_gradient(np.full((8, 9, 3), 200, dtype=np.uint8)) == 0


def test_gradient_of_a_ramp_is_half_its_slope() -> None:
    ramp = np.broadcast_to(np.arange(0, 60, 3, dtype=np.uint8)[:, np.newaxis], (20, 10))
    tile = np.repeat(ramp[..., np.newaxis], 3, axis=2)
    slope = 3 * (65.738 + 129.057 + 25.064) / 256
    assert mean_gradient(tile) == pytest.approx(slope / 2)
    assert mean_gradient(np.ascontiguousarray(tile.swapaxes(0, 1))) == pytest.approx(slope / 2)
