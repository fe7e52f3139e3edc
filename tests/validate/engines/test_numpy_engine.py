from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from gdq_exporter import ExportResult
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.ort import OrtEngine
from gdq_validate.agreement import read_picture
from gdq_validate.engines.numpy_engine import NumpyEngine, accumulate, with_integer_convs


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 999),
    zero=st.sampled_from([0, 8, 128]),
    kernel=st.sampled_from([1, 3, 5]),
    channels=st.integers(1, 9),
)
def test_sums_are_those_of_64_bit_integers(
    seed: int, zero: int, kernel: int, channels: int
) -> None:
    random = np.random.default_rng(seed)
    codes = random.integers(0, 256, (channels, 6, 7), dtype=np.uint8)
    weight = random.integers(-128, 128, (4, channels, kernel, kernel), dtype=np.int8)
    bias = random.integers(-(2**20), 2**20, 4, dtype=np.int32)
    x = torch.from_numpy(codes.astype(np.int64) - zero)
    expected = F.conv2d(
        x[None],
        torch.from_numpy(weight.astype(np.int64)),
        torch.from_numpy(bias.astype(np.int64)),
        padding=kernel // 2,
    )
    np.testing.assert_array_equal(accumulate(codes, zero, weight, bias), expected[0].numpy())


def test_the_integer_convolutions_of_a_graph_are_all_replaced(exported: ExportResult) -> None:
    bundle = Bundle.open(exported.bundle)
    for subgraph in bundle.manifest.subgraphs:
        assert subgraph.onnx is not None
        kinds = [node.op_type for node in with_integer_convs(bundle.file(subgraph.onnx)).graph.node]
        fused = exported.checks.fusion[subgraph.bit_width]
        assert kinds.count("IntegerConv") == fused.integer_convs > 0
        assert kinds.count("Conv") == fused.float_convs


def test_it_agrees_with_onnx_runtime(exported: ExportResult) -> None:
    bundle = Bundle.open(exported.bundle)
    reference, engine = NumpyEngine(bundle), OrtEngine(bundle, None)
    for golden in bundle.manifest.golden:
        tile = read_picture(bundle.path / golden.tile)
        ours, theirs = reference.predict(tile), engine.predict(tile)
        assert ours.bit_width == theirs.bit_width == golden.bit_width
        np.testing.assert_allclose(ours.logits, theirs.logits, rtol=1e-3, atol=1e-3)
        assert ours.entropy == pytest.approx(theirs.entropy, rel=1e-5)
        apart = np.abs(reference.run(4, tile).astype(int) - engine.run(4, tile))
        assert (apart > 1).mean() <= 1e-3
