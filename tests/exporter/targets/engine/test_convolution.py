from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.networks import Network, only, random, random_codes
from gdq_exporter.errors import ExportError
from gdq_exporter.targets.engine.convolution import Convolution, is_convolution, read_convolution


def read(network: Network, weight: Any, **attributes: Any) -> Convolution:
    model = network.model(network.conv(network.x, weight, random(4), **attributes))
    conv = only(model, "Conv")
    assert is_convolution(conv)
    return read_convolution(conv, None)


@pytest.mark.parametrize("side", [1, 3, 5, 9])
def test_a_real_convolution_has_one_place(side: int) -> None:
    weight = random(4, 3, side, side)
    convolution = read(Network(), weight, pads=[side // 2] * 4)
    np.testing.assert_array_equal(convolution.weights, weight[None])
    np.testing.assert_array_equal(convolution.bias, random(4)[None])
    assert (convolution.is_integer, convolution.outputs) == (False, 4)


@pytest.mark.parametrize("per_channel", [True, False])
def test_an_integer_convolution_keeps_its_integers(per_channel: bool) -> None:
    network, codes = Network(), random_codes(4, 3, 3, 3)
    step = np.array([0.1, 0.2, 0.3, 0.4], np.float32) if per_channel else np.float32(0.1)
    convolution = read(network, network.integer_weight(codes, step))
    np.testing.assert_array_equal(convolution.weights, codes)
    assert convolution.weights.dtype == np.int8
    np.testing.assert_array_equal(convolution.weight_steps, np.atleast_1d(step))
    np.testing.assert_array_equal(convolution.bias, random(4)[None])
    assert (convolution.is_integer, convolution.outputs) == (True, 4)


def test_a_merged_tail_has_nine_places() -> None:
    network = Network()
    weight, bias = random(9, 12, 3, 5, 5), random(9, 12)
    kernels = [network.constant(array, np.float64) for array in (weight, bias)]
    tail = network.op("MergedTail", network.x, *kernels, domain="gdq")
    model = network.model(tail)
    convolution = read_convolution(only(model, "MergedTail"), None)
    assert convolution.weights.dtype == np.float32
    np.testing.assert_array_equal(convolution.weights, weight)
    np.testing.assert_array_equal(convolution.bias, bias)
    assert convolution.outputs == 12


@settings(max_examples=15)
@given(seed=st.integers(0, 1000), height=st.integers(2, 7), width=st.integers(2, 7))
def test_an_offset_that_the_padding_lacks_goes_into_the_biases(
    seed: int, height: int, width: int
) -> None:
    network = Network()
    model = network.model(network.conv(network.x, random(4, 3, 3, 3, seed=seed), random(4)))
    offset, x = random(3, seed=seed + 1) * 100, random(1, 3, height, width, seed=seed + 2)
    convolution = read_convolution(only(model, "Conv"), offset)
    assert convolution.weights.shape[0] == convolution.bias.shape[0] == 9
    got = np.empty((4, height, width))
    for row, column in np.ndindex(height, width):
        place = 3 * _place(row, height) + _place(column, width)
        got[:, row, column] = _conv(x, convolution.weights[place], convolution.bias[place])[
            :, row, column
        ]
    expected = _conv(x + offset[:, None, None], random(4, 3, 3, 3, seed=seed), random(4))
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-3)


def _place(index: int, count: int) -> int:
    return 0 if index == 0 else 2 if index == count - 1 else 1


def _conv(x: Any, weight: Any, bias: Any) -> Any:
    image, kernel, offset = (torch.tensor(array).double() for array in (x, weight, bias))
    return F.conv2d(image, kernel, offset, padding=1)[0]


@pytest.mark.parametrize("kind", ["9x9", "integer"])
def test_an_offset_elsewhere_is_refused(kind: str) -> None:
    network = Network()
    if kind == "integer":
        conv = network.conv(network.x, network.integer_weight(np.ones((4, 3, 3, 3)), 1), random(4))
    else:
        conv = network.conv(network.x, random(4, 3, 9, 9), random(4), pads=[4] * 4)
    node = only(network.model(conv), "Conv")
    with pytest.raises(ExportError, match=r"an offset stands in front of layer .*real 3x3"):
        read_convolution(node, random(3))


@pytest.mark.parametrize(
    ("shape", "attributes", "sentence"),
    [
        ((4, 3, 2, 2), {}, "a 2x2 convolution"),
        ((4, 3, 3, 5), {"pads": [1, 2, 1, 2]}, "a 3x5 convolution"),
        ((4, 3, 11, 11), {"pads": [5] * 4}, "a 11x11 convolution"),
        ((4, 3, 3, 3), {"pads": [0] * 4}, r"with pads \(0, 0, 0, 0\)"),
        ((4, 3, 3, 3), {"strides": [2, 2]}, "with strides 2x2"),
        ((4, 3, 3, 3), {"dilations": [2, 2]}, "with dilations 2x2"),
        ((3, 1, 3, 3), {"group": 3}, "with 3 groups"),
        ((4, 3, 3, 3), {"auto_pad": "VALID"}, r"with pads \(0, 0, 0, 0\)"),
    ],
)
def test_other_forms_are_refused(
    shape: tuple[int, ...], attributes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ExportError, match=f"it has layer .*{sentence}.*choose --formats onnx,"):
        read(Network(), random(*shape), **attributes)


def test_integers_of_another_kernel_are_refused() -> None:
    network = Network()
    weight = network.integer_weight(random_codes(4, 3, 1, 1), 0.1)
    with pytest.raises(ExportError, match="a 1x1 convolution, of quantized activations, which"):
        read(network, weight, pads=[0] * 4)


def test_computed_weights_are_refused() -> None:
    network = Network()
    weight = network.op("Relu", network.constant(random(4, 3, 3, 3)))
    with pytest.raises(ExportError, match="computes its own weights"):
        read(network, weight)


def test_padding_that_is_chosen_is_read_as_padding_that_is_written() -> None:
    weight = random(4, 3, 3, 3)
    chosen = read(Network(), weight, auto_pad="SAME_UPPER")
    np.testing.assert_array_equal(chosen.weights, read(Network(), weight).weights)
