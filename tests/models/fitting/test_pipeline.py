from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch

from factories import tiny_edsr, tiny_srresnet
from gdq_core.sensitivity.heads import Sensitivity
from gdq_core.sensitivity.picture_error import picture_level
from gdq_models import (
    BIT_WIDTHS,
    CheckpointError,
    SuperResolutionNetwork,
    load_checkpoint,
    save_checkpoint,
    tile_entropy,
)
from gdq_models.fitting.measurement import luma_error, measure
from gdq_models.fitting.photos import CalibrationTiles, load_tiles
from gdq_models.fitting.pipeline import CalibrationResult, calibrate
from gdq_models.fitting.sensitivity import FittedRule
from gdq_models.predictor.gate_kind import GateKind
from gdq_models.predictor.statistics import StatisticsPredictor, statistics_of


def run(
    network: SuperResolutionNetwork,
    tiles: CalibrationTiles,
    gate: GateKind = "group_norm",
    target: float = 5.0,
) -> CalibrationResult:
    return calibrate(network, tiles, gate=gate, target_fab=target, progress=lambda *_: None)


@pytest.mark.parametrize("gate", ["group_norm", "linear"])
@pytest.mark.parametrize("build", [tiny_edsr, tiny_srresnet])
def test_a_saved_checkpoint_gives_what_the_result_says(
    build: type, gate: GateKind, tiles: CalibrationTiles, tmp_path: Path
) -> None:
    network = build()
    result = run(network, tiles, gate)
    save_checkpoint(network, tmp_path / "a.safetensors")
    loaded = load_checkpoint(tmp_path / "a.safetensors", scale=2).network
    assert loaded.gate_predictor.gate.kind == gate
    low, high = tiles.low.float(), tiles.high.float()
    with torch.no_grad():
        widths = loaded.predict(low).bit_width
        errors = luma_error(loaded(low, loaded.route_for(widths)), high).numpy()
    assert widths.float().mean() <= 5
    assert result.fitted.fab == pytest.approx(float(widths.float().mean()))
    for width, share in result.fitted.shares.items():
        assert share == pytest.approx(float((widths == width).float().mean()))
    means = [errors[tiles.photo == number].mean() for number in np.unique(tiles.photo)]
    psnr = np.mean(10 * np.log10(255**2 / np.array(means)))
    assert result.fitted.psnr == pytest.approx(psnr, abs=0.01)


def test_statistics_are_fitted_and_saved(tiles: CalibrationTiles, tmp_path: Path) -> None:
    network = tiny_edsr()
    result = calibrate(network, tiles, gate="statistics", target_fab=5.0, progress=lambda *_: None)
    assert result.quantiles is result.thresholds is None
    assert result.losses is not None
    assert result.losses.fab == 5.0
    assert isinstance(network.predictor, StatisticsPredictor)
    assert network.predictor.losses() == (5.0, result.losses.predictor, result.losses.random)
    assert result.fitted.fab <= 5
    save_checkpoint(network, tmp_path / "a.safetensors")
    loaded = load_checkpoint(tmp_path / "a.safetensors", scale=2).network
    assert isinstance(loaded.predictor, StatisticsPredictor)
    assert isinstance(network.predictor, StatisticsPredictor)
    assert loaded.predictor.rule().price == network.predictor.rule().price
    assert loaded.predictor.rule().heads.side == 32
    rule, of_first = loaded.predictor.rule(), tiles.photo == tiles.photo[0]
    said = rule.heads.apply(statistics_of(tiles.low, 32))
    first = [Sensitivity(*heads) for heads in said[of_first].tolist()]
    level = picture_level(tile.error for tile in first)
    widths = [rule.choose(tile, level, rule.price) for tile in first]
    measured = measure(loaded, tiles, lambda *_: None)
    assert FittedRule(rule).decide(measured)[of_first].tolist() == widths


def test_the_entropy_table_is_that_of_the_tiles(tiles: CalibrationTiles) -> None:
    network = tiny_edsr()
    run(network, tiles)
    table = network.gate_predictor.e2b.table()
    assert (table.count, table.tile, table.scale) == (len(tiles.low), 32, 2)
    entropies = np.sort(tile_entropy(tiles.low.float()).numpy())
    assert table.at(0.5) == pytest.approx(entropies[len(entropies) // 2], abs=1e-5)


def test_weights_become_half_precision_and_the_float_network_hardly_changes(
    tiles: CalibrationTiles,
) -> None:
    network = tiny_edsr()
    before = copy.deepcopy(network)
    result = run(network, tiles)
    weight = network.body_end.weight
    assert torch.equal(weight.half().float(), weight)
    low, high = tiles.low.float(), tiles.high.float()
    with torch.no_grad():
        errors = luma_error(before(low), high).numpy()
    means = [errors[tiles.photo == number].mean() for number in np.unique(tiles.photo)]
    assert result.float_psnr == pytest.approx(
        np.mean(10 * np.log10(255**2 / np.array(means))), abs=0.01
    )


def test_weights_beyond_half_precision_stay_as_they_are(tiles: CalibrationTiles) -> None:
    network = tiny_edsr()
    assert network.head.bias is not None
    with torch.no_grad():
        network.head.weight.mul_(1e6)
        network.head.bias.mul_(1e6)
        for layer in (network.body_end, network.up[0], network.tail):
            assert isinstance(layer, torch.nn.Conv2d)
            layer.weight.mul_(1e-2)
    before = network.head.weight.detach().clone()
    run(network, tiles)
    assert torch.equal(network.head.weight, before)


def test_the_same_tiles_give_the_same_checkpoint(tiles: CalibrationTiles) -> None:
    first, second = tiny_edsr(), tiny_edsr()
    assert run(first, tiles) == run(second, tiles)
    for one, other in zip(first.state_dict().values(), second.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_learned_steps_are_kept_if_wanted(tiles: CalibrationTiles) -> None:
    network = tiny_edsr()
    steps = {name: layer.act.steps.detach().clone() for name, layer in network.quantized_layers()}
    gate = network.gate_predictor.gate.linear.weight.detach().clone()
    calibrate(
        network, tiles, gate="linear", target_fab=5, keep_steps=True, progress=lambda *_: None
    )
    for name, layer in network.quantized_layers():
        assert torch.equal(layer.act.steps, steps[name])
    assert not torch.equal(network.gate_predictor.gate.linear.weight, gate)
    layers = dict(network.quantized_layers())
    layers["body.1.conv2"].weight_quantizer.initialised.fill_(False)
    with pytest.raises(CheckpointError, match="no steps to keep"):
        calibrate(
            network, tiles, gate="linear", target_fab=5, keep_steps=True, progress=lambda *_: None
        )


def test_quality_on_unseen_photos_needs_two(photo_folder: Path) -> None:
    single = load_tiles(photo_folder / "more", tile=64, scale=2, count=1)
    assert single.photos == 1
    assert run(tiny_edsr(), single).unseen is None
    both = load_tiles(photo_folder, tile=32, scale=2, count=12)
    unseen = run(tiny_edsr(), both).unseen
    assert unseen is not None
    assert sum(unseen.shares.values()) == pytest.approx(1)
    assert unseen.fab == pytest.approx(sum(w * unseen.shares[w] for w in BIT_WIDTHS))


def test_the_smallest_budget_is_4_bits_for_all(tiles: CalibrationTiles) -> None:
    shares = run(tiny_edsr(), tiles, target=4).fitted.shares
    assert shares == {4: 1.0, 5: 0.0, 6: 0.0, 8: 0.0}
