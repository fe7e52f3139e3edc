"""Each pass that touches a convolution, on convolutions of all forms, against ONNX's evaluator."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter import oracle
from exporter.convolutions import CALM, Drawn, convolutions, execute
from exporter.networks import Network, only, operators, random
from gdq_exporter.ir import forms
from gdq_exporter.passes.explicit_bias import ExplicitBiasPass
from gdq_exporter.passes.fold_batchnorm import FoldBatchNormPass
from gdq_exporter.passes.fold_offset import FoldOffsetPass
from gdq_exporter.passes.fold_rescaling import FoldRescalingPass
from gdq_exporter.passes.integer_biases import IntegerBiasesPass
from gdq_exporter.passes.integer_tail import IntegerTailPass
from gdq_exporter.passes.integer_weights import IntegerWeightsPass
from gdq_exporter.passes.merge_linear_tail import MergeLinearTailPass
from gdq_exporter.passes.order_depth_to_space import OrderDepthToSpacePass


def steps(drawn: Drawn) -> Any:
    """A step for each output channel."""
    return np.linspace(0.01, 0.04, drawn.outputs, dtype=np.float32)


def assert_same(drawn: Drawn, model: ir.Model, rewrite: ir.passes.InPlacePass) -> None:
    """The pass does its work and changes no output."""
    (before,) = execute(drawn, model)
    assert rewrite(model).modified
    (after,) = execute(drawn, model)
    np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-4 * max(1, np.abs(before).max()))


@CALM
@given(drawn=convolutions(transposed=None), integer=st.booleans())
def test_batch_norms(drawn: Drawn, integer: bool) -> None:
    network = Network(drawn.inputs)
    conv = drawn.add_to(network, network.x, integer_step=0.02 if integer else None)
    statistics = [random(drawn.outputs, seed=seed) for seed in (1, 2, 3, 4)]
    statistics[3] = statistics[3] ** 2 + 0.1
    model = network.model(network.batch_norm(conv, *statistics))
    assert_same(drawn, model, FoldBatchNormPass())
    stays = integer and drawn.transposed and drawn.attributes["group"] > 1
    assert ("Mul" in operators(model)) == stays


@CALM
@given(drawn=convolutions(transposed=None))
def test_offsets(drawn: Drawn) -> None:
    network = Network(drawn.inputs)
    offset = network.constant(drawn.per_output(seed=4).reshape(1, -1, 1, 1))
    model = network.model(network.op("Add", drawn.add_to(network, network.x), offset))
    assert_same(drawn, model, FoldOffsetPass())
    assert "Add" not in operators(model)


@CALM
@given(drawn=convolutions(transposed=None), behind=st.booleans())
def test_rescalings(drawn: Drawn, behind: bool) -> None:
    network = Network(drawn.inputs)
    factor = network.constant(1.7)
    if behind:
        output = network.op("Mul", drawn.add_to(network, network.x), factor)
    else:
        output = drawn.add_to(network, network.op("Mul", network.x, factor))
    model = network.model(output)
    assert_same(drawn, model, FoldRescalingPass())
    assert "Mul" not in operators(model)


@pytest.mark.parametrize("operator", ["Gemm", "MatMul"])
def test_rescalings_of_products_with_a_matrix(operator: str) -> None:
    network = Network(2)
    rows = network.op("Reshape", network.x, network.constant([-1, 4], np.int64))
    bias = [network.constant(random(3, seed=1))] if operator == "Gemm" else []
    product = network.op(operator, rows, network.constant(random(4, 3)), *bias)
    model = network.model(network.op("Mul", product, network.constant(2.5)))
    x = random(1, 2, 4, 4)
    before = oracle.output(model, x)
    assert FoldRescalingPass()(model).modified
    np.testing.assert_allclose(oracle.output(model, x), before, rtol=1e-5, atol=1e-6)


@CALM
@given(drawn=convolutions(transposed=None))
def test_missing_biases(drawn: Drawn) -> None:
    network = Network(drawn.inputs)
    model = network.model(drawn.add_to(network, network.x))
    if drawn.has_bias:
        assert not ExplicitBiasPass()(model).modified
    else:
        assert_same(drawn, model, ExplicitBiasPass())


@CALM
@given(
    drawn=convolutions(outputs_multiple_of=8),
    kind=st.sampled_from(["float", "one step", "a step per channel"]),
)
def test_the_order_of_a_pixel_shuffle(drawn: Drawn, kind: str) -> None:
    """With 4 groups, the old pass was wrong by 13.7."""
    network = Network(drawn.inputs)
    step = {"float": None, "one step": 0.02, "a step per channel": steps(drawn)}[kind]
    conv = drawn.add_to(network, network.x, integer_step=step)
    model = network.model(network.op("DepthToSpace", conv, blocksize=2, mode="CRD"))
    assert_same(drawn, model, OrderDepthToSpacePass())
    assert only(model, "DepthToSpace").attributes["mode"].as_string() == "DCR"


@CALM
@given(drawn=convolutions())
def test_learned_weights(drawn: Drawn) -> None:
    network = Network(drawn.inputs)
    weight = network.weight_quant(random(*drawn.weight_shape), 0.02)
    model = network.model(network.op("Conv", network.x, weight, **drawn.attributes))
    assert_same(drawn, model, IntegerWeightsPass())


@CALM
@given(drawn=convolutions(), per_channel=st.booleans())
def test_integer_biases(drawn: Drawn, per_channel: bool) -> None:
    """In units of input step x weight step, so at most half a unit away."""
    network = Network(drawn.inputs)
    x = network.quantized(network.x, 0.03, zero_point=128)
    step: Any = steps(drawn) if per_channel else np.float32(0.02)
    conv = drawn.add_to(network, x, integer_step=step)
    model = network.model(conv)
    ExplicitBiasPass()(model)
    (before,) = execute(drawn, model)
    assert IntegerBiasesPass()(model).modified
    unit = 0.03 * np.max(step)
    assert np.abs(execute(drawn, model)[0] - before).max() <= unit / 2 * 1.01


@CALM
@given(drawn=convolutions())
def test_the_integer_tail(drawn: Drawn) -> None:
    """Weights of a float conv behind an integer one, half a step away at most."""
    network = Network(3)
    body = network.conv(network.x, network.integer_weight(np.ones((drawn.inputs, 3, 3, 3)), 0.01))
    tail = drawn.add_to(network, body)
    model = network.model(network.conv(tail, random(3, drawn.outputs, 3, 3)))
    layer = forms.read(tail.producer())
    assert layer is not None
    weights = layer.real_weight
    assert weights is not None
    assert IntegerTailPass()(model).modified
    layer = forms.read(tail.producer())
    assert layer is not None
    assert layer.integer_weight is not None
    codes, scale = layer.integer_weight.codes, layer.along_outputs(layer.integer_weight.steps)
    assert (np.abs(codes * scale - weights) <= scale / 2 * 1.001).all()


@CALM
@given(drawn=convolutions(outputs_multiple_of=4))
def test_a_linear_tail(drawn: Drawn) -> None:
    """Is merged only if its convolutions are dense 3x3 ones that keep the size."""
    network = Network(drawn.inputs)
    shuffled = network.op("DepthToSpace", drawn.add_to(network, network.x), blocksize=2)
    last = network.conv(shuffled, random(3, drawn.outputs // 4, 3, 3))
    model = network.model(last)
    before = oracle.output(model, drawn.x)
    layer = forms.read(only_first_conv(model))
    assert layer is not None
    merges = layer.form.is_plain and layer.form.kernel == (3, 3)
    assert MergeLinearTailPass()(model).modified == merges
    after = oracle.output(model, drawn.x)
    np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-4 * np.abs(before).max())


@pytest.mark.parametrize(
    "other", [{"group": 2}, {"dilations": [2, 2], "pads": [2] * 4}, {"strides": [2, 2]}]
)
def test_a_linear_tail_of_another_form_stays(other: dict[str, Any]) -> None:
    """Forms that random ones seldom come near: one thing different from what is merged."""
    network = Network(4)
    weight = random(8, 4 // other.get("group", 1), 3, 3)
    shuffled = network.op("DepthToSpace", network.conv(network.x, weight, **other), blocksize=2)
    model = network.model(network.conv(shuffled, random(3, 2, 3, 3)))
    assert not MergeLinearTailPass()(model).modified


def test_a_linear_tail_that_pads_by_itself_is_merged() -> None:
    network = Network(4)
    first = network.op(
        "Conv", network.x, network.constant(random(8, 4, 3, 3)), auto_pad="SAME_UPPER"
    )
    shuffled = network.op("DepthToSpace", first, blocksize=2)
    model = network.model(network.conv(shuffled, random(3, 2, 3, 3)))
    x = random(1, 4, 6, 7)
    before = oracle.output(model, x)
    assert MergeLinearTailPass()(model).modified
    np.testing.assert_allclose(oracle.output(model, x), before, rtol=0, atol=1e-4)


def only_first_conv(model: ir.Model) -> ir.Node:
    return next(node for node in model.graph if node.op_type == "Conv")
