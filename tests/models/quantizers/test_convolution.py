from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.signal import correlate

from gdq_models import QuantizedConv2d
from gdq_models.predictor.predictor import route_for


@pytest.fixture
def layer() -> QuantizedConv2d:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        convolution = QuantizedConv2d(3, 5, 3).eval()
    convolution.act.set_steps((0.5, 0.25, 0.125, 0.03125), signed=True)
    convolution.weight_quantizer.set_step(1 / 512)
    return convolution


def image() -> torch.Tensor:
    return torch.randn(1, 3, 7, 6, generator=torch.Generator().manual_seed(2))


def convolved(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Cross-correlation with zero padding of one, in float64."""
    padded = np.pad(x[0], ((0, 0), (1, 1), (1, 1)))
    return np.stack([correlate(padded, kernel, mode="valid")[0] for kernel in weight])


def test_runs_on_integers_times_steps(layer: QuantizedConv2d) -> None:
    """y = step_x * step_w * (X conv W) + b with integer X and W."""
    x = image()
    with torch.no_grad():
        output = layer(x, route_for(torch.tensor([4]))).numpy()
    integers = np.round(np.clip(x.numpy() / 0.5, -8, 7)).astype(np.int64)
    weight = layer.weight_quantizer.integers(layer.weight).numpy().astype(np.int64)
    assert layer.bias is not None
    bias = layer.bias.detach().numpy()[:, None, None]
    expected = convolved(integers, weight) * (0.5 / 512) + bias
    np.testing.assert_allclose(output[0], expected, atol=1e-5)


def test_without_a_route_it_is_a_plain_convolution(layer: QuantizedConv2d) -> None:
    x = image()
    plain = torch.nn.functional.conv2d(x, layer.weight, layer.bias, padding=1)
    assert torch.equal(layer(x, None), plain)


def test_can_do_without_a_bias() -> None:
    assert QuantizedConv2d(2, 2, 3, bias=False).bias is None
