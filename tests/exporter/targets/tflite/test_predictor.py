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
from exporter.predictors import NETWORKS, Tile, assert_predicted, expected, network
from factories import sample_tiles
from gdq_exporter.targets.tflite.model_builder import ModelBuilder
from gdq_exporter.targets.tflite.predictor import add_predictor

SIDES = [4, 8, 20, 32, 100]
"""Multiples of four, as ``ExportConfig.tile``."""


@lru_cache
def written(name: str, side: int, kernels: str = "xnnpack") -> Callable[..., Any]:
    model = ModelBuilder()
    add_predictor(model.graph("predictor"), network(name).predictor_parameters(), side)
    return runner(model.to_bytes(), "predictor", kernels)


def assert_equal(name: str, tile: Tile, kernels: str = "xnnpack") -> None:
    answers = written(name, len(tile), kernels)(tile=tile[None])
    ends = {name: (answer.shape, answer.dtype.name) for name, answer in answers.items()}
    assert ends == {
        "logits": ((1, 3), "float32"),
        "entropy": ((1,), "float32"),
        "bit_width": ((1,), "int64"),
    }
    assert_predicted(name, tile, **answers)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", NETWORKS)
def test_equals_torch(name: str, side: int) -> None:
    for picture in sample_tiles(4, size=side, seed=side):
        assert_equal(name, picture.permute(1, 2, 0).byte().numpy())


@pytest.mark.parametrize("name", NETWORKS)
@settings(max_examples=25)
@given(tile=hnp.arrays(np.uint8, st.just((8, 8, 3))))
@example(tile=np.zeros((8, 8, 3), np.uint8))
@example(tile=np.full((8, 8, 3), 255, np.uint8))
@example(tile=np.full((8, 8, 3), (255, 0, 0), np.uint8))
def test_equals_torch_on_any_tile(name: str, tile: Tile) -> None:
    assert_equal(name, tile)


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("name", NETWORKS)
def test_every_bit_width_is_decided_as_torch_does(name: str, kernels: str) -> None:
    """The tiny networks give all four, so that no branch goes untested; on plain kernels too."""
    decided = set()
    for picture in sample_tiles(32, seed=5):
        tile = picture.permute(1, 2, 0).byte().numpy()
        assert_equal(name, tile, kernels)
        decided.add(int(expected(name, tile).bit_width))
    assert decided == {4, 5, 6, 8}
