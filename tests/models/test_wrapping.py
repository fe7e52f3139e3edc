from __future__ import annotations

from pathlib import Path

import pytest
import torch

from factories import released_state_dict, tiny_edsr, tiny_srresnet
from gdq_models import CheckpointError, load_checkpoint, load_float_checkpoint
from gdq_models.checkpoint import is_float_weight
from gdq_models.wrapping import unwrap

State = dict[str, torch.Tensor]


def wrapped(state: State, prefix: str) -> State:
    return {prefix + key: value for key, value in state.items()}


@pytest.mark.parametrize("prefix", ["module.", "model.", "_orig_mod.", "model.module.", "a.b.c."])
@pytest.mark.parametrize(
    "state",
    [tiny_edsr().state_dict(), tiny_srresnet().state_dict(), released_state_dict(tiny_srresnet())],
    ids=["edsr", "srresnet", "released"],
)
def test_a_prefix_is_taken_away(state: State, prefix: str) -> None:
    assert unwrap(wrapped(state, prefix)) == state
    assert unwrap(state) is state


def test_other_things_may_lie_beside_a_network() -> None:
    state = tiny_edsr().state_dict()
    others = {"loss.vgg.0.weight": torch.zeros(3), "metric": torch.zeros(1)}
    assert unwrap(wrapped(state, "model.") | others) == state


def test_of_several_networks_none_is_chosen() -> None:
    state = tiny_edsr().state_dict()
    with pytest.raises(CheckpointError, match="several networks, under 'teacher' and 'network'"):
        unwrap(wrapped(state, "teacher.") | wrapped(state, "network."))


@pytest.mark.parametrize("keys", [[], ["a"], ["a.b.c"], ["a." * 99 + "b", "c.d"], ["..", "."]])
def test_what_holds_no_network_is_left_alone(keys: list[str]) -> None:
    state = {key: torch.zeros(1) for key in keys}
    assert unwrap(state) is state


@pytest.mark.parametrize("prefix", ["", "module.", "model."])
def test_float_weights_are_sent_to_gdq_calibrate(prefix: str, tmp_path: Path) -> None:
    state = {key: value for key, value in tiny_edsr().state_dict().items() if is_float_weight(key)}
    path = tmp_path / "edsr.ckpt"
    torch.save({"state_dict": wrapped(state, prefix), "epoch": 3}, path)
    with pytest.raises(CheckpointError, match=rf"float weights.*: gdq-calibrate {path} -o edsr_"):
        load_checkpoint(path)
    assert load_float_checkpoint(path).network.name == "edsr"


def test_a_trained_network_in_a_wrapper_loads(tmp_path: Path) -> None:
    network = tiny_edsr()
    torch.save({"state_dict": wrapped(network.state_dict(), "module.")}, tmp_path / "edsr.pt")
    loaded = load_checkpoint(tmp_path / "edsr.pt").network.state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in network.state_dict().items())
