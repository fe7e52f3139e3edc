from __future__ import annotations

import numpy as np
import pytest

from exporter import oracle
from exporter.networks import Network, array, operators, random, random_codes
from gdq_exporter.ir import quantization
from gdq_exporter.ir.quantization import QuantizationPoint

X = random(1, 3, 4, 4) * 3
POINTS = [
    QuantizationPoint(np.float32(0.02), 128),
    QuantizationPoint(np.float32(0.3), 0, top=15),
    QuantizationPoint(np.float32(0.1), 16, top=31),
]


def quantized(point: QuantizationPoint) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """(clip(round(x / step) + zero_point, 0, top) - zero_point) step."""
    codes = np.clip(np.rint(X / point.step) + point.zero_point, 0, point.top)
    return np.asarray((codes - point.zero_point) * point.step, np.float32)


@pytest.mark.parametrize("point", POINTS)
def test_insert_behind_changes_all_readers(point: QuantizationPoint) -> None:
    network = Network(3)
    features = network.op("Neg", network.op("Neg", network.x))
    model = network.model(network.op("Add", features, features))
    value = quantization.insert_behind(model, features, point)
    assert quantization.read(value) == point
    np.testing.assert_array_equal(oracle.output(model, X), quantized(point) * 2)


@pytest.mark.parametrize("point", POINTS)
def test_insert_behind_the_network_s_input(point: QuantizationPoint) -> None:
    network = Network(3)
    model = network.model(network.op("Neg", network.x))
    quantization.insert_behind(model, network.x, point)
    np.testing.assert_array_equal(oracle.output(model, X), -quantized(point))


@pytest.mark.parametrize("point", POINTS)
def test_the_source_of_a_quantization_is_found(point: QuantizationPoint) -> None:
    network = Network(3)
    features = network.op("Neg", network.x)
    model = network.model(network.op("Neg", features))
    assert quantization.source(quantization.insert_behind(model, features, point)) is features


@pytest.mark.parametrize("point", POINTS)
def test_insert_before_changes_nobody(point: QuantizationPoint) -> None:
    network = Network(3)
    reader = network.op("Neg", network.x)
    model = network.model(reader)
    anchor = reader.producer()
    assert anchor is not None
    value = quantization.insert_before(model, anchor, network.x, point)
    output, inside = oracle.execute(model, X, also=(value,))
    np.testing.assert_array_equal(output, -X)
    np.testing.assert_array_equal(inside, quantized(point))


def test_only_codes_below_255_need_a_clip_and_constants_are_scalars() -> None:
    for point in POINTS:
        network = Network(3)
        model = network.model(network.op("Neg", network.x))
        quantization.insert_behind(model, network.x, point)
        assert ("Clip" in operators(model)) is (point.top < 255)
        assert all(array(value).shape == () for value in model.graph.initializers.values())


def test_read_tells_activations_from_weights_and_float() -> None:
    network = Network(3)
    assert quantization.read(network.x) is None
    assert quantization.read(None) is None
    assert quantization.read(network.op("Relu", network.x)) is None
    assert quantization.read(network.integer_weight(random_codes(3, 3, 3, 3), 0.1)) is None
