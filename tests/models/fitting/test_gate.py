from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gdq_core.bit_widths import BIT_WIDTHS
from gdq_models import BitPredictor, EntropyTable
from gdq_models.fitting.gate import fit_predictor, widths_by_entropy
from gdq_models.fitting.losses import psnr_losses
from gdq_models.fitting.measurement import TileMeasurements

CHANNELS = 8


def draw_tiles(seed: int = 0, count: int = 120, tells: float = 1.0) -> TileMeasurements:
    """Draws tiles whose noise at few bits is told by the gate's inputs, as far as ``tells``."""
    random = np.random.default_rng(seed)
    inputs = random.normal(size=(count, 3 * CHANNELS))
    hidden = tells * inputs[:, :3].sum(axis=1) + (1 - tells) * random.normal(size=count)
    noise = np.exp(hidden)[:, None] * np.array([4.0, 1.0, 0.25, 0.0])
    errors = 20 + noise + 0.02 * random.normal(size=(count, 4))
    return TileMeasurements(
        inputs=inputs,
        entropies=random.uniform(0.8, 3.4, count),
        errors=errors,
        float_errors=errors[:, 3] - 0.01,
        interpolated=errors[:, 3] + 30,
        photo=np.arange(count) // 6,
    )


def table_of(tiles: TileMeasurements) -> EntropyTable:
    return EntropyTable.build(tiles.entropies.tolist(), tile=96, scale=2)


def loss_of(tiles: TileMeasurements, widths: np.ndarray) -> float:
    losses = psnr_losses(tiles)
    return float(losses[np.arange(len(widths)), np.searchsorted(BIT_WIDTHS, widths)].mean())


def test_losses_are_to_first_order_those_of_the_photos() -> None:
    tiles = draw_tiles(tells=0.0)
    losses = psnr_losses(tiles)
    assert not losses[:, 3].any()
    for column in range(4):
        exact = tiles.psnr(tiles.errors[:, 3]) - tiles.psnr(tiles.errors[:, column])
        assert losses[:, column].mean() == pytest.approx(exact, rel=0.2, abs=1e-3)


def test_the_entropy_rule_includes_its_thresholds() -> None:
    widths = widths_by_entropy(np.array([0.9, 1.0, 1.1, 2.0, 2.1]), (1.0, 2.0))
    np.testing.assert_array_equal(widths, [4, 4, 5, 5, 8])


@settings(max_examples=30)
@given(seed=st.integers(0, 1000), target=st.floats(4, 8), count=st.integers(1, 40))
def test_keeps_to_the_budget_and_loses_no_more_than_one_width_for_all(
    seed: int, target: float, count: int
) -> None:
    tiles = draw_tiles(seed, count)
    widths = fit_predictor(tiles, table_of(tiles), target).decide(tiles)
    assert widths.mean() <= target + 1e-9
    assert loss_of(tiles, widths) <= loss_of(tiles, np.full(count, 4)) + 1e-9
    if target >= 6:
        assert loss_of(tiles, widths) <= loss_of(tiles, np.full(count, 6)) + 1e-9


@pytest.mark.parametrize("target", [4.3, 4.6, 5.0, 5.5])
def test_beats_chance_on_tiles_that_it_has_not_seen(target: float) -> None:
    seen, unseen = draw_tiles(1, 240, tells=0.8), draw_tiles(2, 240, tells=0.8)
    widths = fit_predictor(seen, table_of(seen), target).decide(unseen)
    shares = np.bincount(np.searchsorted(BIT_WIDTHS, widths), minlength=4) / len(widths)
    by_chance = float((psnr_losses(unseen) @ shares).mean())
    assert abs(widths.mean() - target) < 0.4
    assert np.count_nonzero(shares > 0.02) >= 2
    assert loss_of(unseen, widths) < 0.8 * by_chance


def test_inputs_that_never_change_do_not_matter() -> None:
    tiles = draw_tiles()
    constant = np.random.default_rng(5).normal(size=(len(tiles), 1)) * 1e-9 + 3
    inputs = np.where(np.arange(3 * CHANNELS) == 20, constant, tiles.inputs)
    tiles = replace(tiles, inputs=inputs)
    assert not fit_predictor(tiles, table_of(tiles), 5).weight[:, 20].any()


def test_tiles_without_any_loss_can_be_fitted() -> None:
    tiles = draw_tiles()
    flat = replace(
        tiles,
        inputs=np.zeros_like(tiles.inputs),
        entropies=np.ones(len(tiles)),
        errors=np.zeros_like(tiles.errors),
    )
    fitted = fit_predictor(flat, table_of(flat), 5)
    assert np.isfinite(fitted.weight).all()
    assert fitted.decide(flat).mean() <= 5


@pytest.mark.parametrize("target", [4.4, 5.0, 6.5])
def test_an_installed_predictor_decides_the_same(target: float) -> None:
    tiles = draw_tiles()
    table = table_of(tiles)
    fitted = fit_predictor(tiles, table, target)
    predictor = BitPredictor(CHANNELS, "linear").eval()
    fitted.install(predictor, table)
    with torch.no_grad():
        logits = predictor.gate.linear(torch.from_numpy(tiles.inputs).float())
        by_entropy = predictor.e2b(torch.from_numpy(tiles.entropies))
    gate = np.array([4, 6, 8])[logits.argmax(dim=1).numpy()]
    widths = np.where(gate == 8, by_entropy.numpy(), gate)
    np.testing.assert_array_equal(widths, fitted.decide(tiles))
    assert predictor.e2b.thresholds() == fitted.thresholds
