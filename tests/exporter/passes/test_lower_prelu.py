from __future__ import annotations

import numpy as np
import pytest

from exporter import oracle
from exporter.networks import Network, array, only, operators, random
from gdq_exporter.passes.lower_prelu import LowerPReluPass

X = random(1, 4, 5, 6)


@pytest.mark.parametrize("slope", [0.25, -0.1, 0.0, 1.5])
@pytest.mark.parametrize("shape", [(1,), (1, 1, 1), (4, 1, 1)])
def test_one_slope_becomes_leaky_relu(slope: float, shape: tuple[int, ...]) -> None:
    network = Network(4)
    slopes = network.constant(np.full(shape, slope))
    model = network.model(network.op("PRelu", network.x, slopes))
    assert LowerPReluPass()(model).modified
    assert operators(model) == {"LeakyRelu": 1}
    assert not model.graph.initializers
    expected = np.where(X < 0, np.float32(slope) * X, X)
    np.testing.assert_array_equal(oracle.output(model, X), expected)


def test_a_slope_per_channel_stays() -> None:
    network, slopes = Network(4), random(4, 1, 1)
    model = network.model(network.op("PRelu", network.x, network.constant(slopes)))
    assert not LowerPReluPass()(model).modified
    np.testing.assert_array_equal(array(only(model, "PRelu").inputs[1]), slopes)
