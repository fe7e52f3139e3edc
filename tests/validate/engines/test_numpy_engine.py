from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from gdq_exporter import ExportResult
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.ort import OrtEngine
from gdq_validate.agreement import read_picture
from gdq_validate.engines.numpy_engine import (
    IntegerConv,
    NumpyEngine,
    Walk,
    accumulate,
    with_integer_convs,
)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 999),
    zero=st.sampled_from([0, 8, 128]),
    kernel=st.tuples(*[st.integers(1, 3)] * 2),
    sizes=st.tuples(*[st.integers(1, 3)] * 3),
    strides=st.tuples(*[st.integers(1, 3)] * 2),
    dilations=st.tuples(*[st.integers(1, 2)] * 2),
    pads=st.tuples(*[st.integers(0, 2)] * 4),
)
def test_sums_are_those_of_64_bit_integers(
    seed: int,
    zero: int,
    kernel: tuple[int, int],
    sizes: tuple[int, int, int],
    strides: tuple[int, int],
    dilations: tuple[int, int],
    pads: tuple[int, int, int, int],
) -> None:
    """torch's, for every form of convolution: groups, strides, dilations, pads."""
    random, (group, inputs, outputs) = np.random.default_rng(seed), sizes
    codes = random.integers(0, 256, (group * inputs, 6, 7), dtype=np.uint8)
    weight = random.integers(-128, 128, (group * outputs, inputs, *kernel), dtype=np.int8)
    bias = random.integers(-(2**20), 2**20, group * outputs, dtype=np.int32)
    x = torch.from_numpy(codes.astype(np.int64) - zero)
    top, left, bottom, right = pads
    expected = F.conv2d(
        F.pad(x[None], (left, right, top, bottom)),
        torch.from_numpy(weight.astype(np.int64)),
        torch.from_numpy(bias.astype(np.int64)),
        stride=strides,
        dilation=dilations,
        groups=group,
    )
    sums = accumulate(codes, zero, weight, bias, Walk(group, strides, dilations, pads))
    np.testing.assert_array_equal(sums, expected[0].numpy())


@pytest.mark.parametrize(
    ("attributes", "kind"),
    [
        ({"group": 2, "strides": [2, 1], "dilations": [1, 2], "pads": [1, 0, 2, 1]}, "IntegerConv"),
        ({"group": 2}, "IntegerConv"),
        ({"group": 2, "auto_pad": "SAME_UPPER"}, "Conv"),
    ],
)
def test_a_convolution_keeps_its_attributes(
    tmp_path: Path, attributes: dict[str, Any], kind: str
) -> None:
    """The graph computes what ONNX's evaluator makes of the one as it was written."""
    path = tmp_path / "graph.onnx"
    onnx.save(quantized_convolution(attributes), path)
    x = np.random.default_rng(1).random((1, 4, 8, 9)).astype(np.float32)
    (expected,) = run(ReferenceEvaluator(str(path)), x)
    model = with_integer_convs(path)
    assert kind in [node.op_type for node in model.graph.node]
    (got,) = run(ReferenceEvaluator(model, new_ops=[IntegerConv]), x)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


def run(evaluator: ReferenceEvaluator, x: NDArray[np.float32]) -> list[NDArray[Any]]:
    outputs = evaluator.run(None, {"x": x})
    assert isinstance(outputs, list)
    return outputs


def quantized_convolution(attributes: dict[str, Any]) -> onnx.ModelProto:
    """4 -> 6 channels in two groups, in quantize-dequantize form."""
    random = np.random.default_rng(0)
    constants = {
        "step": np.float32(0.01),
        "zero": np.uint8(7),
        "codes": random.integers(-128, 128, (6, 2, 3, 3), dtype=np.int8),
        "steps": np.linspace(0.01, 0.02, 6, dtype=np.float32),
        "counts": random.integers(-99, 99, 6, dtype=np.int32),
        "units": np.linspace(0.01, 0.02, 6, dtype=np.float32) * np.float32(0.01),
    }
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "step", "zero"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "step", "zero"], ["dq"]),
        helper.make_node("DequantizeLinear", ["codes", "steps"], ["w"], axis=0),
        helper.make_node("DequantizeLinear", ["counts", "units"], ["b"], axis=0),
        helper.make_node("Conv", ["dq", "w", "b"], ["y"], **attributes),
    ]
    ends = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in "xy"]
    stored = [numpy_helper.from_array(np.asarray(one), name) for name, one in constants.items()]
    graph = helper.make_graph(nodes, "graph", ends[:1], ends[1:], stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])


def test_the_integer_convolutions_of_a_graph_are_all_replaced(exported: ExportResult) -> None:
    bundle = Bundle.open(exported.bundle)
    for subgraph in bundle.manifest.subgraphs:
        assert subgraph.onnx is not None
        kinds = [node.op_type for node in with_integer_convs(bundle.file(subgraph.onnx)).graph.node]
        fused = exported.checks.findings["onnx"][str(subgraph.bit_width)]
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
