from __future__ import annotations

import numpy as np
import pytest

from gdq_runtime.gradients import gradient_sparsity, mean_gradient


def test_one_colour_is_flat() -> None:
    assert mean_gradient(np.full((8, 9, 3), 200, dtype=np.uint8)) == 0


def test_gradient_of_a_ramp_is_half_its_slope() -> None:
    ramp = np.broadcast_to(np.arange(0, 60, 3, dtype=np.uint8)[:, np.newaxis], (20, 10))
    tile = np.repeat(ramp[..., np.newaxis], 3, axis=2)
    slope = 3 * (65.738 + 129.057 + 25.064) / 256
    assert mean_gradient(tile) == pytest.approx(slope / 2)
    assert mean_gradient(np.ascontiguousarray(tile.swapaxes(0, 1))) == pytest.approx(slope / 2)


def test_sparsity_of_an_even_change_is_one() -> None:
    checks = np.indices((20, 30)).sum(axis=0) % 2 * 200
    tile = np.repeat(checks[..., np.newaxis], 3, axis=2).astype(np.uint8)
    assert gradient_sparsity(tile) == pytest.approx(1, rel=1e-3)


def test_sparsity_grows_as_edges_become_rare() -> None:
    tile = np.zeros((32, 32, 3), dtype=np.uint8)
    assert gradient_sparsity(tile) == 0
    tile[:, 16:] = 100
    # One of 31 differences across, none down: rms / mean = sqrt(62).
    one_edge = gradient_sparsity(tile)
    assert one_edge == pytest.approx(62**0.5, rel=0.05)
    noise = np.random.default_rng(0).integers(0, 256, tile.shape, dtype=np.uint8)
    assert gradient_sparsity(noise) < 1.3 < one_edge


def test_sparsity_does_not_depend_on_contrast() -> None:
    tile = np.random.default_rng(0).integers(0, 60, (16, 16, 3), dtype=np.uint8)
    assert gradient_sparsity(tile * 4) == pytest.approx(gradient_sparsity(tile), rel=0.01)
