from __future__ import annotations

import copy
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
from numpy.typing import NDArray

from exporter import oracle
from exporter.networks import operators
from factories import sample_tiles, tiny_edsr, tiny_srresnet
from gdq_exporter.writers.onnx.predictor import build_predictor
from gdq_models import Prediction, SuperResolutionNetwork

Tile = NDArray[np.uint8]

_MEAN = (114.4, 111.5, 103.0)
NETWORKS = {
    "linear": lambda: tiny_edsr(2, "linear"),
    "linear, mean": lambda: tiny_edsr(2, "linear", mean=_MEAN, value_range=255.0),
    "linear, 9x9": lambda: tiny_srresnet(2, "linear"),
    "group norm": lambda: tiny_edsr(2, "group_norm"),
    "group norm, mean": lambda: tiny_edsr(2, "group_norm", mean=_MEAN),
    "group norm, 9x9": lambda: tiny_srresnet(2, "group_norm"),
}
SIZES = [(4, 4), (5, 7), (7, 5), (18, 33), (32, 32), (101, 99)]

LOGIT_NOISE = 1e-4
"""Of float32, relative to the largest logit; a decision closer than this may go either way."""
ENTROPY_NOISE = 1e-5


@dataclass(frozen=True)
class Case:
    exact: SuperResolutionNetwork
    """The network in double precision."""
    model: ir.Model
    session: ort.InferenceSession


@lru_cache
def case(name: str) -> Case:
    network = NETWORKS[name]()
    _learn_norms(network)
    model = build_predictor(network.predictor_parameters())
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(
        ir.to_proto(model).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return Case(copy.deepcopy(network).double().eval(), model, session)


def _learn_norms(network: SuperResolutionNetwork) -> None:
    """Gives the norms weights and biases as training would, and each logit its chance again."""
    gate, tiles = network.predictor.gate, sample_tiles(32)
    with torch.no_grad():
        for norm in gate.norms:
            torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
            torch.nn.init.normal_(norm.bias, std=0.3)
        logits = gate(network.features(tiles))
        gate.linear.weight.div_(logits.std(dim=0)[:, None])
        gate.linear.bias.sub_(logits.mean(dim=0)).div_(logits.std(dim=0))
        gate.linear.bias[2] += 0.5


def expected(network: SuperResolutionNetwork, tile: Tile) -> Prediction:
    image = torch.from_numpy(tile.transpose(2, 0, 1)[None].astype(np.float64))
    with torch.inference_mode():
        return network.predict(image)


def assert_equal(name: str, tile: Tile) -> None:
    """Logits, entropy and decision equal those of torch in double precision."""
    exact = case(name).exact
    want = expected(exact, tile)
    logits, entropy, bit_width = case(name).session.run(None, {"tile": tile[None]})
    noise = LOGIT_NOISE * max(1, float(want.logits.abs().max()))
    np.testing.assert_allclose(logits, want.logits.numpy(), rtol=0, atol=noise)
    np.testing.assert_allclose(entropy, want.entropy.numpy(), rtol=0, atol=ENTROPY_NOISE)
    second, first = np.sort(want.logits[0].numpy())[-2:]
    thresholds = exact.predictor.e2b.thresholds()
    distance = min(abs(float(want.entropy) - threshold) for threshold in thresholds)
    if first - second > 2 * noise and distance > 2 * ENTROPY_NOISE:
        assert bit_width.item() == want.bit_width.item()


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize("name", NETWORKS)
def test_equals_torch(name: str, height: int, width: int) -> None:
    """From nearly flat to noisy; odd sizes, of which pooling leaves out the last rows."""
    pictures = sample_tiles(4, size=max(height, width), seed=height)
    for picture in pictures[:, :, :height, :width]:
        assert_equal(name, picture.permute(1, 2, 0).byte().numpy())


@pytest.mark.parametrize("name", NETWORKS)
@settings(max_examples=25, deadline=None)
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
        decided.add(int(expected(case(name).exact, tile).bit_width))
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
        network.predictor.gate.linear.weight.zero_()
        network.predictor.gate.linear.bias.copy_(torch.tensor([1.0, 1.0, 0.0]))
    tile = np.full((1, 8, 8, 3), 77, np.uint8)
    _, entropy, bit_width = oracle.execute(build_predictor(network.predictor_parameters()), tile)
    assert bit_width.item() == 4
    network.predictor.gate.linear.bias.data[2] = 2
    network.predictor.e2b.entropies.fill_(float(entropy.item()))
    _, _, bit_width = oracle.execute(build_predictor(network.predictor_parameters()), tile)
    assert bit_width.item() == 4
