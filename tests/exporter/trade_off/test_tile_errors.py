from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gdq_core.interpolation import interpolate
from gdq_core.luma import luma
from gdq_core.sensitivity.heads import Sensitivity
from gdq_exporter.trade_off.tile_errors import measure_tiles
from gdq_runtime.engines.base import Prediction
from gdq_runtime.routing.gradients import mean_gradient


class AddingEngine:
    """Answers the interpolated tile plus (8 - bit-width), so that errors can be foreseen."""

    name = accelerator_asked = accelerator_used = "test"

    def predict(self, tile: NDArray[np.uint8]) -> Prediction:
        mean = float(tile.mean())
        return Prediction(np.array([mean, 0, 3 * mean], np.float32), mean / 100, 6)

    def sense(self, tile: NDArray[np.uint8]) -> Sensitivity:
        raise NotImplementedError

    def run(self, bit_width: int, tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return interpolate(tile, 2) + np.uint8(8 - bit_width)

    def close(self) -> None:
        pass


def test_losses_are_relative_to_the_picture_at_the_largest_width() -> None:
    random = np.random.default_rng(0)
    tiles = random.integers(50, 200, (6, 16, 16, 3), dtype=np.uint8)
    noise = random.integers(0, 9, (6, 32, 32, 3)) * np.arange(1, 7)[:, None, None, None]
    pairs = [
        (t, (interpolate(t, 2) * 0.7 + n).astype(np.uint8))
        for t, n in zip(tiles, noise, strict=True)
    ]
    seen = measure_tiles(AddingEngine(), (8, 4, 6), pairs, np.array([0, 1, 0, 1, 0, 1]))
    assert seen.bit_widths == (4, 6, 8)

    def error(index: int, bit_width: int) -> float:
        tile, truth = pairs[index]
        picture = AddingEngine().run(bit_width, tile)[4:-4, 4:-4]
        return float(((luma(picture) - luma(truth[4:-4, 4:-4])) ** 2).mean())

    for index in range(6):
        same = range(index % 2, 6, 2)
        unit = np.mean([error(other, 8) for other in same])
        extra = [(error(index, width) - error(index, 8)) / unit for width in (4, 6, 8)]
        expected = 10 * np.log10(np.maximum(1 + np.array(extra), 0.1))
        np.testing.assert_allclose(seen.losses[index], expected, atol=1e-12)
    np.testing.assert_allclose(seen.interpolated, 0, atol=1e-12)
    np.testing.assert_allclose(seen.gate_margin, [2 * t.mean() for t in tiles], rtol=1e-5)
    np.testing.assert_allclose(seen.gradient, [mean_gradient(t) for t in tiles])
    np.testing.assert_array_equal(seen.picture_of, [0, 1, 0, 1, 0, 1])
    np.testing.assert_array_equal(seen.predicted, 6)
