from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.networks import Array, Network, random, random_codes
from gdq_core.errors import ImageError
from gdq_exporter.calibration import (
    Observation,
    calibrate,
    choose_point,
    load_calibration,
    observe,
)
from gdq_exporter.errors import ExportError
from gdq_exporter.ir.quantization import QuantizationPoint
from gdq_exporter.passes.choose_steps import unquantized


def observed(*tensors: Array) -> Observation:
    seen = Observation()
    for tensor in tensors:
        seen.add(tensor)
    return seen


def error(values: Array, point: QuantizationPoint, step: float) -> float:
    """Mean squared error of rounding and clipping, in double precision."""
    codes = np.clip(np.rint(values / step), -point.zero_point, 255 - point.zero_point)
    return float(np.square(codes * step - values.astype(np.float64)).mean())


@settings(max_examples=30)
@given(
    seed=st.integers(0, 1000),
    shape=st.sampled_from(["normal", "laplace", "uniform", "rectified", "outlier"]),
    scale=st.floats(1e-3, 1e3),
)
def test_no_step_is_much_better_than_the_chosen(seed: int, shape: str, scale: float) -> None:
    """Brute force over a fine grid of steps: within a tenth of the least error."""
    generator = np.random.default_rng(seed)
    normal = generator.standard_normal(4000)
    values = {
        "normal": normal,
        "laplace": generator.laplace(size=4000),
        "uniform": generator.uniform(-1, 1, 4000),
        "rectified": np.maximum(normal, 0),
        "outlier": np.append(normal, 6.0),
    }[shape]
    tensor = (values * scale).astype(np.float32)
    point = choose_point(observed(tensor))
    top = np.abs(tensor).max() / (127 if point.zero_point else 255)
    best = min(error(tensor, point, step) for step in np.linspace(0.3, 1.05, 400) * top)
    assert error(tensor, point, float(point.step)) <= 1.1 * best


@pytest.mark.parametrize(("low", "zero_point"), [(-0.001, 128), (0.0, 0)])
def test_the_sign_is_that_of_the_smallest_value(low: float, zero_point: int) -> None:
    point = choose_point(observed(np.array([low, 1.0], np.float32)))
    assert point.zero_point == zero_point
    assert point.top == 255


def test_a_tensor_of_zeros_has_a_step() -> None:
    assert choose_point(observed(np.zeros(10, np.float32))).step == 1


def test_extremes_come_from_all_values_of_all_tiles() -> None:
    """Even if they are not among the samples."""
    first, second = np.zeros(100_000, np.float32), np.zeros(100_000, np.float32)
    first[77_777], second[33_333] = 5, -9
    seen = observed(first, second)
    assert (seen.smallest, seen.largest) == (-9, 5)
    assert sum(sample.size for sample in seen.samples) < 40_000


def test_calibrate_sees_what_the_network_computes() -> None:
    """NumPy on the tiles themselves chooses the same step for the conv's input."""
    network = Network(3)
    features = network.op("Neg", network.x)
    weight = network.integer_weight(random_codes(3, 3, 3, 3), 0.001)
    model = network.model(network.op("Neg", network.conv(features, weight, random(3))))
    values = unquantized(model)
    tiles = np.random.default_rng(0).integers(0, 200, (3, 16, 16, 3), np.uint8)
    points = calibrate(model, values, tiles)
    assert set(points) == {value.name for value in values}
    expected = choose_point(observed(*(-tiles.astype(np.float32).transpose(0, 3, 1, 2))))
    assert points[str(features.name)] == expected


def test_sample_photos_are_spread_and_repeatable() -> None:
    first, second = load_calibration(None, 32, 10), load_calibration(None, 32, 10)
    assert first.tiles.shape == (10, 32, 32, 3)
    assert first.tiles.dtype == np.uint8
    np.testing.assert_array_equal(first.tiles, second.tiles)
    assert len({tile.tobytes() for tile in first.tiles}) == 10
    assert first.source == "scikit-image samples"


def test_a_folder_of_all_kinds_of_pictures(tmp_path: Path) -> None:
    """Grayscale, 16 bits, alpha and one smaller than a tile become 8-bit RGB tiles."""
    generator = np.random.default_rng(0)
    cv2.imwrite(str(tmp_path / "a.png"), generator.integers(0, 256, (40, 50, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "b.png"), generator.integers(0, 256, (40, 50), np.uint8))
    cv2.imwrite(str(tmp_path / "c.png"), generator.integers(0, 65536, (40, 50, 3), np.uint16))
    cv2.imwrite(str(tmp_path / "d.png"), generator.integers(0, 256, (40, 50, 4), np.uint8))
    cv2.imwrite(str(tmp_path / "e.png"), generator.integers(0, 256, (7, 5, 3), np.uint8))
    (tmp_path / "notes.txt").write_text("not a picture")
    calibration = load_calibration(tmp_path, 32, 10)
    assert (calibration.images, calibration.tiles.shape) == (5, (10, 32, 32, 3))
    assert calibration.tiles.dtype == np.uint8
    assert calibration.tiles.reshape(10, -1).max(axis=1).min() > 200


def test_a_folder_that_is_none_or_empty_or_damaged_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="holds no picture"):
        load_calibration(tmp_path, 32, 4)
    with pytest.raises(ImageError, match="not a folder of pictures"):
        load_calibration(tmp_path / "nothing", 32, 4)
    (tmp_path / "broken.png").write_text("not a picture")
    with pytest.raises(ExportError, match=r"calibration: .*broken\.png"):
        load_calibration(tmp_path, 32, 4)


def test_observing_sees_the_largest_magnitude_of_all_tiles() -> None:
    network = Network()
    negative = network.op("Neg", network.x)
    model = network.model(network.op("Neg", negative))
    negative.name = "negative"
    tiles = np.zeros((3, 16, 16, 3), np.uint8)
    tiles[1, 3, 4, 2], tiles[2, 0, 0, 0] = 200, 100
    seen = observe(model, ["negative", "output"], tiles)
    assert (seen["negative"].smallest, seen["negative"].largest) == (-200, 0)
    assert seen["negative"].magnitude == seen["output"].magnitude == 200
