from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from exporter import oracle
from exporter.litert import KERNELS, execute, random
from exporter.networks import Network
from gdq_exporter.targets.tflite import operators
from gdq_exporter.targets.tflite.model_builder import GraphBuilder, Quantization, Tensor

Array = NDArray[np.float32]
SIX_AXES = (0, 3, 1, 4, 2, 5)
X, IMAGE, MATRIX = random(2, 6), random(1, 8, 8, 4), random(6, 3)

REFERENCES: dict[str, tuple[Callable[[GraphBuilder, Tensor], Tensor], Array, Array]] = {
    "pad": (
        lambda g, x: operators.pad(g, x, [(0, 0), (1, 2), (0, 3), (0, 0)]),
        IMAGE,
        np.pad(IMAGE, [(0, 0), (1, 2), (0, 3), (0, 0)]),
    ),
    "space to depth": (
        lambda g, x: operators.space_to_depth(g, x, 4),
        IMAGE,
        IMAGE.reshape(1, 2, 4, 2, 4, 4).transpose(0, 1, 3, 2, 4, 5).reshape(1, 2, 2, 64),
    ),
    "transpose": (
        lambda g, x: operators.transpose(g, x, 0, 3, 1, 2),
        IMAGE,
        IMAGE.transpose(0, 3, 1, 2),
    ),
    "transpose of six axes": (
        lambda g, x: operators.transpose(g, operators.reshape(g, x, 2, 4, 4, 2, 2, 2), *SIX_AXES),
        IMAGE,
        IMAGE.reshape(2, 4, 4, 2, 2, 2).transpose(SIX_AXES),
    ),
    "slice": (lambda g, x: operators.slice_(g, x, 2, 3, 5), IMAGE, IMAGE[:, :, 3:5]),
    "concatenate": (
        lambda g, x: operators.concatenate(g, [x, x, x], 1),
        IMAGE,
        np.concatenate([IMAGE] * 3, axis=1),
    ),
    "reshape": (lambda g, x: operators.reshape(g, x, 3, 4), X, X.reshape(3, 4)),
    "linear": (
        lambda g, x: operators.linear(g, x, g.constant(random(3, 6))),
        X,
        X @ random(3, 6).T,
    ),
    "matmul": (lambda g, x: operators.matmul(g, x, g.constant(MATRIX)), X, X @ MATRIX),
    "matmul, transposed": (lambda g, x: operators.matmul(g, x, x, transpose_b=True), X, X @ X.T),
    "sum": (lambda g, x: operators.reduce(g, "SUM", x, 1), X, X.sum(axis=1, keepdims=True)),
    "mean": (
        lambda g, x: operators.reduce(g, "MEAN", x, 1, 2),
        IMAGE,
        IMAGE.mean(axis=(1, 2), keepdims=True),
    ),
    "leaky_relu": (
        lambda g, x: operators.leaky_relu(g, x, 0.2),
        X,
        np.where(X < 0, np.float32(0.2) * X, X),
    ),
    "prelu": (
        lambda g, x: operators.prelu(g, x, g.constant(np.arange(4).reshape(1, 1, 4))),
        IMAGE,
        np.where(IMAGE < 0, np.arange(4) * IMAGE, IMAGE).astype(np.float32),
    ),
    "squared difference": (
        lambda g, x: operators.arithmetic(g, "SQUARED_DIFFERENCE", x, g.constant(random(2, 1))),
        X,
        np.square(X - random(2, 1)),
    ),
    "exp": (lambda g, x: operators.unary(g, "EXP", x), X, np.exp(X)),
}


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("name", REFERENCES)
def test_equals_numpy(name: str, kernels: str) -> None:
    build, x, expected = REFERENCES[name]
    np.testing.assert_allclose(execute(build, x, kernels), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 2)])
def test_conv_equals_the_oracle(stride: int, dilation: int, same: bool) -> None:
    weight, bias = random(5, 4, 3, 3), random(5)
    network = Network(4)
    conv = network.conv(
        network.x,
        weight,
        bias,
        pads=[1, 1, 1, 1] if same and dilation == stride == 1 else [0, 0, 0, 0],
        auto_pad="SAME_UPPER" if same and dilation * stride > 1 else "NOTSET",
        strides=[stride] * 2,
        dilations=[dilation] * 2,
    )
    expected = oracle.output(network.model(conv), IMAGE.transpose(0, 3, 1, 2))

    def build(graph: GraphBuilder, x: Tensor) -> Tensor:
        constants = graph.constant(weight.transpose(0, 2, 3, 1)), graph.constant(bias)
        return operators.conv(
            graph,
            x,
            *constants,
            strides=(stride, stride),
            dilations=(dilation, dilation),
            same=same,
        )

    got = execute(build, IMAGE).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("integer", [False, True])
def test_depth_to_space_is_dcr(integer: bool) -> None:
    image = np.arange(2 * 3 * 12, dtype=np.float32).reshape(1, 2, 3, 12)
    network = Network(12)
    shuffled = network.op("DepthToSpace", network.x, blocksize=2, mode="DCR")
    expected = oracle.output(network.model(shuffled), image.transpose(0, 3, 1, 2))

    def build(graph: GraphBuilder, x: Tensor) -> Tensor:
        if not integer:
            return operators.depth_to_space(graph, x, 2)
        codes = operators.quantize(graph, x, Quantization(np.float32(1), -100))
        return operators.dequantize(graph, operators.depth_to_space(graph, codes, 2))

    np.testing.assert_array_equal(execute(build, image).transpose(0, 3, 1, 2), expected)


@pytest.mark.parametrize("kernels", KERNELS)
@settings(max_examples=20)
@given(
    step=st.floats(2.0**-20, 2.0**10, width=32), before=st.integers(-128, 0), up=st.integers(0, 255)
)
def test_moved_codes_saturate_at_the_ends_of_int8(
    kernels: str, step: float, before: int, up: int
) -> None:
    """All 256 codes, whatever the step: no code is rounded to a neighbour."""
    codes, after = np.arange(-128, 128), min(before + up, 127)

    def build(graph: GraphBuilder, x: Tensor) -> Tensor:
        wide = operators.quantize(graph, x, Quantization(np.float32(step), before))
        return operators.dequantize(graph, operators.move_codes(graph, wide, after))

    real = (codes - before).astype(np.float32) * np.float32(step)
    moved = execute(build, real[None], kernels)[0] / np.float32(step) + after
    expected = np.clip(codes + after - before, -128, 127)
    np.testing.assert_allclose(moved, expected, rtol=0, atol=1e-3)
