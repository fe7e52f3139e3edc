from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from exporter import oracle
from exporter.networks import operators
from exporter.predictors import NETWORKS, Tile, assert_predicted, expected, network
from factories import sample_tiles, tiny_edsr
from gdq_exporter.targets.onnx.predictor import build_predictor

SIZES = [(4, 4), (5, 7), (7, 5), (18, 33), (32, 32), (101, 99)]


@dataclass(frozen=True)
class Case:
    model: ir.Model
    session: ort.InferenceSession


@lru_cache
def case(name: str) -> Case:
    model = build_predictor(network(name).predictor_parameters())
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(
        ir.to_proto(model).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return Case(model, session)


def assert_equal(name: str, tile: Tile) -> None:
    assert_predicted(name, tile, *case(name).session.run(None, {"tile": tile[None]}))


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize("name", NETWORKS)
def test_equals_torch(name: str, height: int, width: int) -> None:
    """From nearly flat to noisy; odd sizes, of which pooling leaves out the last rows."""
    pictures = sample_tiles(4, size=max(height, width), seed=height)
    for picture in pictures[:, :, :height, :width]:
        assert_equal(name, picture.permute(1, 2, 0).byte().numpy())


@pytest.mark.parametrize("name", NETWORKS)
@settings(max_examples=25)
@given(tile=hnp.arrays(np.uint8, st.tuples(st.integers(4, 9), st.integers(4, 9), st.just(3))))
@example(tile=np.zeros((8, 8, 3), np.uint8))
@example(tile=np.ones((4, 4, 3), np.uint8))
@example(tile=np.full((8, 8, 3), 255, np.uint8))
@example(tile=np.full((6, 9, 3), (255, 0, 0), np.uint8))
def test_equals_torch_on_any_tile(name: str, tile: Tile) -> None:
    assert_equal(name, tile)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_bit_width_is_decided_as_torch_does(name: str) -> None:
    """The tiny networks give all four, so that no branch goes untested."""
    decided = set()
    for picture in sample_tiles(32, seed=5):
        tile = picture.permute(1, 2, 0).byte().numpy()
        assert_equal(name, tile)
        decided.add(int(expected(name, tile).bit_width))
    assert decided == {4, 5, 6, 8}


@pytest.mark.parametrize("name", ["linear, mean", "group norm"])
def test_the_oracle_agrees(name: str) -> None:
    """ONNX's reference evaluator computes the same graph: nothing hangs on ONNX Runtime."""
    tile = sample_tiles(8, size=13)[5].permute(1, 2, 0).byte().numpy()[None]
    theirs = case(name).session.run(None, {"tile": tile})
    ours = oracle.execute(case(name).model, tile)
    for got, want in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", NETWORKS)
def test_runs_no_convolution_and_has_the_promised_ends(name: str) -> None:
    model = case(name).model
    assert "Conv" not in operators(model)
    ends = [*model.graph.inputs, *model.graph.outputs]
    assert [value.name for value in ends] == ["tile", "logits", "entropy", "bit_width"]
    types = [value.dtype.name for value in ends if value.dtype is not None]
    assert types == ["UINT8", "FLOAT", "FLOAT", "INT64"]


def test_ties_of_logits_go_to_the_smaller_width_and_of_entropy_below_the_threshold() -> None:
    """As torch's argmax and the paper's ``H <= threshold``."""
    network = tiny_edsr(2, "linear")
    with torch.no_grad():
        network.gate_predictor.gate.linear.weight.zero_()
        network.gate_predictor.gate.linear.bias.copy_(torch.tensor([1.0, 1.0, 0.0]))
    tile = np.full((1, 8, 8, 3), 77, np.uint8)
    _, entropy, bit_width = oracle.execute(build_predictor(network.predictor_parameters()), tile)
    assert bit_width.item() == 4
    network.gate_predictor.gate.linear.bias.data[2] = 2
    network.gate_predictor.e2b.entropies.fill_(float(entropy.item()))
    _, _, bit_width = oracle.execute(build_predictor(network.predictor_parameters()), tile)
    assert bit_width.item() == 4
