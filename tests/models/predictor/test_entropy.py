from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from factories import sample_tiles
from gdq_models import tile_entropy


def reference(image: np.ndarray) -> float:
    """The released estimator in float64, from the paper's section 3.3 and its constants."""
    side = min(image.shape[1:])
    red, green, blue = image[:, :side, :side].astype(np.float64)
    luma = (0.2989 * red + 0.5870 * green + 0.1140 * blue).ravel() / 255
    residuals = luma[:, None] - np.linspace(0, 1, 32)
    density = np.maximum(np.exp(-0.5 * (residuals / 0.0255) ** 2), 1e-40).mean(axis=0)
    probability = density / (density.sum() + 1e-40) + 1e-40
    return float(-(probability * np.log(probability)).sum())


@given(
    arrays(
        np.uint8,
        st.tuples(st.just(3), st.integers(1, 24), st.integers(1, 24)),
        elements=st.integers(0, 255),
    )
)
def test_equals_numpy(image: np.ndarray) -> None:
    entropy = tile_entropy(torch.from_numpy(image[None].astype(np.float32)))
    assert entropy.item() == pytest.approx(reference(image), abs=2e-5)


def test_each_tile_is_on_its_own() -> None:
    tiles = sample_tiles(6, size=20)
    expected = [reference(tile.numpy()) for tile in tiles]
    np.testing.assert_allclose(tile_entropy(tiles).numpy(), expected, atol=2e-5)


def test_range_is_that_of_the_released_estimator() -> None:
    """0.73 for black, 1.18 for flat grey, at most ln 32."""
    black = tile_entropy(torch.zeros(1, 3, 8, 8)).item()
    flat = tile_entropy(torch.full((1, 3, 8, 8), 127.0)).item()
    ramp = torch.linspace(0, 255, 4096).view(1, 1, 64, 64).expand(1, 3, 64, 64)
    assert black == pytest.approx(0.73, abs=0.01)
    assert flat == pytest.approx(1.18, abs=0.02)
    assert 3.45 < tile_entropy(ramp).item() <= math.log(32)
