from __future__ import annotations

import numpy as np
import onnx_ir as ir
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from exporter import oracle
from gdq_exporter.targets.onnx.entropy import add_entropy
from gdq_exporter.targets.onnx.graph_builder import GraphBuilder

Tile = NDArray[np.uint8]


def build() -> ir.Model:
    graph = GraphBuilder()
    tile = ir.val("tile", ir.DataType.UINT8, [1, "height", "width", 3])
    height, width = (graph.op("Shape", tile, start=axis, end=axis + 1) for axis in (1, 2))
    nats = add_entropy(graph, tile, height, width)
    nats.name, nats.dtype, nats.shape = "entropy", ir.DataType.FLOAT, ir.Shape([1])
    return graph.model([tile], [nats])


MODEL = build()


def released_entropy(tile: Tile) -> float:
    """H = -sum p ln p, p the Gaussian kernel density of luma at 32 bins, in double precision."""
    side = min(tile.shape[:2])
    luma = tile[:side, :side].astype(np.float64) @ [0.2989, 0.5870, 0.1140] / 255
    distance = luma.reshape(-1, 1) - np.linspace(0, 1, 32)
    density = np.exp(-0.5 * (distance / 0.0255) ** 2).clip(1e-40).mean(axis=0)
    share = density / density.sum() + 1e-40
    return float(-(share * np.log(share)).sum())


def entropy(tile: Tile) -> float:
    return float(oracle.output(MODEL, tile[None]).item())


@settings(max_examples=50)
@given(tile=hnp.arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12), st.just(3))))
@example(tile=np.zeros((8, 8, 3), np.uint8))
@example(tile=np.full((8, 8, 3), 255, np.uint8))
@example(tile=np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3))
def test_equals_the_formula_in_double_precision(tile: Tile) -> None:
    assert entropy(tile) == pytest.approx(released_entropy(tile), abs=5e-6)


def test_known_values() -> None:
    """0.73 for a black tile (paper notes, section 1.2); ln 32 at most."""
    assert entropy(np.zeros((8, 8, 3), np.uint8)) == pytest.approx(0.73, abs=0.005)
    ramp = np.linspace(0, 255, 4096).round().astype(np.uint8).reshape(64, 64, 1).repeat(3, axis=2)
    assert np.log(32) - 0.05 < entropy(ramp) <= np.log(32)


def test_only_the_top_left_square_counts() -> None:
    tile = np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8)
    other = tile.copy()
    other[:, 6:] = 0
    assert entropy(tile) == entropy(other)
