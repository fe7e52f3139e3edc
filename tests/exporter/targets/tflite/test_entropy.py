from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from exporter.litert import KERNELS, runner
from exporter.predictors import Tile
from gdq_exporter.targets.tflite.entropy import add_entropy
from gdq_exporter.targets.tflite.model_builder import ModelBuilder


@lru_cache
def written(side: int, kernels: str) -> Callable[..., Any]:
    model = ModelBuilder()
    graph = model.graph("entropy")
    pixels = graph.input("pixels", (1, side, side, 3), np.float32)
    graph.finish({"nats": add_entropy(graph, pixels)})
    return runner(model.to_bytes(), "entropy", kernels)


def entropy(tile: Tile, kernels: str = "xnnpack") -> float:
    run = written(len(tile), kernels)
    return float(run(pixels=tile[None].astype(np.float32))["nats"].item())


def released_entropy(tile: Tile) -> float:
    """H = -sum p ln p, p the Gaussian kernel density of luma at 32 bins, in double precision."""
    luma = tile.astype(np.float64) @ [0.2989, 0.5870, 0.1140] / 255
    distance = luma.reshape(-1, 1) - np.linspace(0, 1, 32)
    density = np.exp(-0.5 * (distance / 0.0255) ** 2).clip(1e-40).mean(axis=0)
    share = density / density.sum() + 1e-40
    return float(-(share * np.log(share)).sum())


@pytest.mark.parametrize("kernels", KERNELS)
@settings(max_examples=25)
@given(tile=hnp.arrays(np.uint8, st.sampled_from([(1, 1, 3), (8, 8, 3), (13, 13, 3)])))
@example(tile=np.zeros((8, 8, 3), np.uint8))
@example(tile=np.full((8, 8, 3), 255, np.uint8))
@example(tile=np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3))
def test_equals_the_formula_in_double_precision(kernels: str, tile: Tile) -> None:
    assert entropy(tile, kernels) == pytest.approx(released_entropy(tile), abs=5e-6)


def test_known_values() -> None:
    """0.73 for a black tile (paper notes, section 1.2); ln 32 at most."""
    assert entropy(np.zeros((8, 8, 3), np.uint8)) == pytest.approx(0.73, abs=0.005)
    ramp = np.linspace(0, 255, 4096).round().astype(np.uint8).reshape(64, 64, 1).repeat(3, axis=2)
    assert np.log(32) - 0.05 < entropy(ramp) <= np.log(32)
