from __future__ import annotations

from pathlib import Path

import pytest
import safetensors.torch
import torch

from factories import sample_tiles, tiny_edsr, tiny_srresnet
from gdq_models import EDSR, CheckpointError, save_checkpoint
from gdq_models.predictor.gate_kind import GateKind
from gdq_models.training.recipe import NetworkRecipe
from gdq_models.training.start import build_network

WANTED = NetworkRecipe(name="edsr", scale=2, channels=16, blocks=2)


@pytest.mark.parametrize("name", ["edsr", "srresnet"])
def test_from_scratch_depends_on_the_seed(name: str) -> None:
    wanted = WANTED.model_copy(update={"name": name})
    one, same, other = (build_network(wanted, None, seed) for seed in (1, 1, 2))
    assert one.name == name
    first, repeated, another = (made.head_convolution().weight for made in (one, same, other))
    assert torch.equal(first, repeated)
    assert not torch.equal(first, another)


@pytest.mark.parametrize("gate", ["linear", "group_norm"])
def test_keeps_all_of_a_checkpoint_but_a_gate_of_another_kind(
    tmp_path: Path, gate: GateKind
) -> None:
    given = tiny_edsr(gate=gate)
    save_checkpoint(given, tmp_path / "given.safetensors")
    network = build_network(WANTED, tmp_path / "given.safetensors", seed=1)
    assert network.gate_predictor.gate.kind == "group_norm"
    kept = network.state_dict()
    for key, value in given.state_dict().items():
        if not key.startswith("predictor.") or gate == "group_norm":
            assert torch.equal(kept[key], value), key


def test_goes_on_with_an_srresnet_of_srgans_form(tmp_path: Path) -> None:
    given = tiny_srresnet(bias=True, norm_first=True)
    save_checkpoint(given, tmp_path / "given.safetensors")
    wanted = WANTED.model_copy(update={"name": "srresnet"})
    network = build_network(wanted, tmp_path / "given.safetensors", seed=1).eval()
    image = sample_tiles(1, size=12)
    assert torch.equal(network(image), given(image))


def test_refuses_weights_of_other_sizes(tmp_path: Path) -> None:
    save_checkpoint(tiny_edsr(blocks=3), tmp_path / "given.safetensors")
    with pytest.raises(CheckpointError, match=r"3 blocks of 16 channels; .* 2 blocks of 16"):
        build_network(WANTED, tmp_path / "given.safetensors", seed=1)


@pytest.mark.parametrize("gate", ["linear", "group_norm"])
def test_a_new_gate_rules_nothing_out(tmp_path: Path, gate: str) -> None:
    float_weights = {
        key: value
        for key, value in tiny_edsr().state_dict().items()
        if not key.startswith("predictor.")
    }
    safetensors.torch.save_file(float_weights, tmp_path / "float.safetensors")
    wanted = WANTED.model_copy(update={"gate": gate})
    network = build_network(wanted, tmp_path / "float.safetensors", seed=1)
    assert network.gate_predictor.gate(torch.rand(2, 16, 8, 8)).abs().max() == 0


def test_both_upsampling_steps_of_x4_begin_as_that_of_x2(tmp_path: Path) -> None:
    given = tiny_edsr(scale=2)
    save_checkpoint(given, tmp_path / "given.safetensors")
    wanted = WANTED.model_copy(update={"scale": 4})
    network = build_network(wanted, tmp_path / "given.safetensors", seed=1)
    before, after = given.state_dict(), network.state_dict()
    for stage in (0, 1):
        assert torch.equal(after[f"up.{stage}.weight"], before["up.0.weight"])
        assert torch.equal(after[f"up.{stage}.bias"], before["up.0.bias"])


def test_begins_as_the_same_network_of_another_scale(tmp_path: Path) -> None:
    given = tiny_edsr(scale=2, value_range=255.0, mean=(1.0, 2.0, 3.0))
    save_checkpoint(given, tmp_path / "given.safetensors")
    wanted = WANTED.model_copy(update={"scale": 3})
    network = build_network(wanted, tmp_path / "given.safetensors", seed=1)
    assert isinstance(network, EDSR)
    images = torch.rand(1, 3, 12, 12) * 255
    torch.testing.assert_close(network.features(images), given.features(images))
    assert torch.equal(network.tail.weight, given.tail.weight)
    assert all(not layer.act.initialised.any() for _, layer in network.quantized_layers())
    assert network(images).shape == (1, 3, 36, 36)
