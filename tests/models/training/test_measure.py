from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from factories import sample_tiles, tiny_edsr
from gdq_core.bit_widths import BIT_WIDTHS
from gdq_models.training.measure import measure


def decibel(images: np.ndarray, truth: np.ndarray) -> float:
    """10 log10(255^2 / mean((Y - Y')^2)) over all images, which are (N, 3, H, W) and rounded."""
    weights = np.array([65.738, 129.057, 25.064]).reshape(1, 3, 1, 1) / 256
    error = ((np.clip(np.round(images), 0, 255) - truth) * weights).sum(axis=1) ** 2
    return float(10 * np.log10(255**2 / error.mean()))


def test_equals_the_formula_at_every_width() -> None:
    network, teacher = tiny_edsr(), tiny_edsr(seed=1)
    low = sample_tiles(8)
    high = F.interpolate(low, scale_factor=2)
    result = measure(network, teacher, zip(torch.split(low, 3), torch.split(high, 3), strict=True))
    truth = high.numpy()
    with torch.no_grad():
        assert result.teacher == pytest.approx(decibel(teacher(low).numpy(), truth), abs=1e-3)
        for width in BIT_WIDTHS:
            output = network(low, network.route_for(torch.full((8,), width)))
            expected = decibel(output.numpy(), truth)
            assert result.by_bit_width[width] == pytest.approx(expected, abs=1e-3)
        predicted = network.predict(low).bit_width
        routed = network(low, network.route_for(predicted)).numpy()
    assert result.tiles == 8
    assert result.routed == pytest.approx(decibel(routed, truth), abs=1e-3)
    assert result.fab == predicted.float().mean().item()
    assert result.shares[8] == (predicted == 8).float().mean().item()
    assert sum(result.shares.values()) == pytest.approx(1)


def test_widths_dealt_by_chance_cost_what_shuffling_costs_on_average() -> None:
    network, low = tiny_edsr(), sample_tiles(8)
    high = F.interpolate(low, scale_factor=2)
    result = measure(network, network, [(low, high)])
    weights = torch.tensor([65.738, 129.057, 25.064]).view(1, 3, 1, 1) / 256
    expected = 0.0
    with torch.no_grad():
        for width, share in result.shares.items():
            output = network(low, network.route_for(torch.full((8,), width)))
            luma = ((output.clamp(0, 255).round() - high) * weights).sum(dim=1)
            expected += share * luma.square().mean().item()
    assert result.random_gate == pytest.approx(10 * np.log10(255**2 / expected), abs=1e-3)
