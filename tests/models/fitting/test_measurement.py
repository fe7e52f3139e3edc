from __future__ import annotations

import numpy as np
import pytest
import torch

from factories import tiny_edsr
from gdq_core.bit_widths import BIT_WIDTHS
from gdq_models import CheckpointError
from gdq_models.fitting.measurement import TileMeasurements, luma_error, measure
from gdq_models.fitting.photos import CalibrationTiles


def luma(image: np.ndarray) -> np.ndarray:
    red, green, blue = image.astype(np.float64)
    brightness: np.ndarray = (65.738 * red + 129.057 * green + 25.064 * blue) / 256
    return brightness


def test_luma_error_is_that_of_8_bit_pictures() -> None:
    """mean((Y - Y')^2), after clamping and rounding the output."""
    random = np.random.default_rng(0)
    output = random.uniform(-20, 275, (2, 3, 6, 5)).astype(np.float32)
    truth = random.integers(0, 256, (2, 3, 6, 5)).astype(np.float32)
    expected = [
        np.square(luma(np.rint(np.clip(o, 0, 255))) - luma(t)).mean()
        for o, t in zip(output, truth, strict=True)
    ]
    found = luma_error(torch.from_numpy(output), torch.from_numpy(truth))
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9)


def test_measures_every_tile_at_every_width(tiles: CalibrationTiles) -> None:
    network = tiny_edsr(gate="group_norm")
    calls: list[tuple[int, int]] = []
    measured = measure(network, tiles, lambda done, of_all: calls.append((done, of_all)))
    assert calls[-1] == (len(tiles.low), len(tiles.low))
    for i in (0, len(measured) - 1):
        low, high = tiles.low[i : i + 1].float(), tiles.high[i : i + 1].float()
        with torch.no_grad():
            for column, width in enumerate(BIT_WIDTHS):
                output = network(low, network.route_for(torch.tensor([width])))
                error = float(luma_error(output, high))
                assert measured.errors[i, column] == pytest.approx(error, rel=1e-3)
            assert measured.float_errors[i] == pytest.approx(
                float(luma_error(network(low), high)), rel=1e-3
            )
            prediction = network.predict(low)
            gate = network.gate_predictor.gate.linear
            logits = gate.weight.double().numpy() @ measured.inputs[i]
        np.testing.assert_allclose(
            logits + gate.bias.detach().double().numpy(), prediction.logits[0], atol=1e-4
        )
        assert measured.entropies[i] == pytest.approx(float(prediction.entropy), abs=1e-5)


def test_psnr_is_the_mean_over_photos() -> None:
    measured = TileMeasurements(
        inputs=np.zeros((3, 1)),
        entropies=np.zeros(3),
        errors=np.zeros((3, 4)),
        float_errors=np.zeros(3),
        interpolated=np.zeros(3),
        photo=np.array([4, 7, 4]),
    )
    errors = np.array([1.0, 10.0, 3.0])
    np.testing.assert_array_equal(measured.of_photo(errors), [2, 10, 2])
    expected = (10 * np.log10(255**2 / 2) + 10 * np.log10(255**2 / 10)) / 2
    assert measured.psnr(errors) == pytest.approx(expected)


def test_an_output_that_overflows_is_refused(tiles: CalibrationTiles) -> None:
    network = tiny_edsr()
    with torch.no_grad():
        network.tail.weight.mul_(1e38)
        network.body_end.weight.mul_(1e20)
    with pytest.raises(CheckpointError, match="beyond what float32 can hold"):
        measure(network, tiles, lambda *_: None)
