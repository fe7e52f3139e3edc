"""Our SRResNet against the released implementation with the same weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import released_srresnet as released
from factories import released_state_dict, sample_tiles, tiny_srresnet
from gdq_core.bit_widths import BIT_WIDTHS
from gdq_models import CheckpointError, SRResNet, load_checkpoint
from gdq_models.layouts.granular_dq import GRANULAR_DQ

TABLE = {f"{(i + 1) / 2:.1f}": 1.18 + 2.2 * i / 198 for i in range(199)}


@pytest.fixture
def table_file(tmp_path: Path) -> Path:
    path = tmp_path / "E2B.json"
    path.write_text(json.dumps(TABLE))
    return path


def saved(tmp_path: Path, state: object) -> Path:
    path = tmp_path / "srresnet.pt"
    torch.save(state, path)
    return path


def as_numpy(state: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    return {key: value.double().numpy() for key, value in state.items()}


@pytest.mark.parametrize("scale", [2, 4])
def test_output_equals_the_released_forward_pass(
    scale: int, tmp_path: Path, table_file: Path
) -> None:
    """Max abs difference 1e-3 on 0..255, per bit-width.

    A value on a rounding boundary may fall to either side of it in float32 and in float64, and
    then moves what depends on it: such pixels are rare and are allowed for.
    """
    state = released_state_dict(tiny_srresnet(scale))
    network = load_checkpoint(saved(tmp_path, state), entropy_table=table_file).network
    image = sample_tiles(2, size=12)[1:]
    for width in BIT_WIDTHS:
        with torch.no_grad():
            ours = network(image, network.route_for(torch.tensor([width])))[0].numpy()
        theirs = released.upscale(image[0].double().numpy(), as_numpy(state), width)
        assert ours.shape == (3, 12 * scale, 12 * scale)
        assert np.quantile(np.abs(ours - theirs), 0.99) < 1e-3


def test_every_decision_equals_the_released_one(tmp_path: Path, table_file: Path) -> None:
    network = tiny_srresnet(seed=1)
    # As calibration leaves them: between entries, looked up at one decimal (0.6 and 0.8).
    network.gate_predictor.e2b.quantiles.copy_(torch.tensor([0.57, 0.82], dtype=torch.float64))
    network.gate_predictor.gate.linear.bias.data[2] += 0.5
    state = released_state_dict(network)
    loaded = load_checkpoint(saved(tmp_path, state), entropy_table=table_file).network
    tiles = sample_tiles(40, seed=5)
    arrays = as_numpy(state)
    expected = [released.choose_bits(tile.double().numpy(), arrays, TABLE) for tile in tiles]
    assert loaded.predict(tiles).bit_width.tolist() == expected
    assert set(expected) == set(BIT_WIDTHS)


@pytest.mark.parametrize("quantile_shape", [(1,), (1, 1, 1), ()])
@pytest.mark.parametrize("wrapped", [False, True])
def test_both_wrappings_and_every_quantile_shape_load(
    quantile_shape: tuple[int, ...], wrapped: bool, tmp_path: Path, table_file: Path
) -> None:
    network = tiny_srresnet()
    state: object = released_state_dict(network, quantile_shape=quantile_shape)
    if wrapped:
        state = {"state_dict": state, "epoch": 300, "optimizer": {"state": {}, "lr": 1e-4}}
    loaded = load_checkpoint(saved(tmp_path, state), entropy_table=table_file)
    assert isinstance(loaded.network, SRResNet)
    assert loaded.name == "srresnet"
    assert loaded.network.gate_predictor.e2b.quantiles.tolist() == [0.3, 0.6]
    for (_, ours), (_, theirs) in zip(
        loaded.network.quantized_layers(), network.quantized_layers(), strict=True
    ):
        assert torch.equal(ours.act.steps, theirs.act.steps)
        assert torch.equal(ours.weight_quantizer.step, theirs.weight_quantizer.step)
        assert ours.act.is_signed == theirs.act.is_signed


def test_without_a_table_it_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = saved(tmp_path, released_state_dict(tiny_srresnet()))
    with pytest.raises(CheckpointError, match="no entropy table"):
        load_checkpoint(path)


@pytest.mark.parametrize("key", ["body.1.conv2.quant_act4.init_state", "body.0.conv1.init_state"])
def test_never_initialised_steps_are_refused(key: str, tmp_path: Path, table_file: Path) -> None:
    state = released_state_dict(tiny_srresnet())
    assert key in state
    state[key] = torch.zeros(1)
    layer = ".".join(key.split(".")[:3])
    with pytest.raises(CheckpointError, match=f"'{layer}' were never learned"):
        load_checkpoint(saved(tmp_path, state), entropy_table=table_file)


def test_a_quantile_beyond_the_table_is_refused(tmp_path: Path, table_file: Path) -> None:
    """0.95 is looked up at 100.0 in the released code, where there is no entry."""
    state = released_state_dict(tiny_srresnet())
    state["encoder.second_divide_bit.fine_grain_ratito2"] = torch.tensor([0.951])
    with pytest.raises(CheckpointError, match=r"inside \(0, 1\)"):
        load_checkpoint(saved(tmp_path, state), entropy_table=table_file)


def test_every_needed_key_is_named_when_missing() -> None:
    state = released_state_dict(tiny_srresnet(blocks=1))
    ignored = ("sub_mean", "add_mean", "act_q", "channel_threshold", "num_batches_tracked")
    for key in state:
        if any(part in key for part in ignored):
            continue
        rest = {other: value for other, value in state.items() if other != key}
        if GRANULAR_DQ.detects({name: tuple(value.shape) for name, value in rest.items()}):
            with pytest.raises(CheckpointError, match="is missing"):
                GRANULAR_DQ.read(rest)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("encoder.gate.0.weight", torch.zeros(3, 5), "has shape"),
        ("body.0.conv1.alpha", torch.zeros(2), "should hold one number"),
        ("encoder.second_divide_bit.fine_grain_ratito1", torch.tensor([torch.nan]), "quantile"),
        ("body.0.conv1.quant_act1.signed", torch.tensor([0.0]), "some are not"),
    ],
)
def test_senseless_entries_are_refused(key: str, value: torch.Tensor, message: str) -> None:
    state = released_state_dict(tiny_srresnet(blocks=1))
    state[key] = value
    with pytest.raises(CheckpointError, match=message):
        GRANULAR_DQ.read(state)
