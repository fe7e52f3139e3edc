"""Float networks of other projects: loaded by our commands' loader, equal to their own formula."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor

from factories import sample_tiles
from gdq_models import CheckpointError, load_checkpoint, load_float_checkpoint
from models.layouts import forward_passes, made_states
from models.layouts.made_states import UPSAMPLERS, State

MAKERS: dict[str, Callable[..., State]] = {
    name: getattr(made_states, name)
    for name in ("edsr_pytorch", "basicsr_edsr", "cadyq_srresnet", "srgan_pytorch", "srvgg")
}
SCALES = [
    (name, scale)
    for name in MAKERS
    for scale in UPSAMPLERS
    if scale != 3 or not name.endswith(("srresnet", "srgan_pytorch"))
]


def write(state: State, path: Path) -> Path:
    torch.save(state, path)
    return path


def check_equal(state: State, formula: State, name: str, path: Path, scale: int = 2) -> None:
    """The network in the file gives what the project's own forward pass gives, within float32."""
    network = load_float_checkpoint(path, scale=scale).network
    image = sample_tiles(2, size=11)
    with torch.no_grad():
        output = network(image)
        expected: Tensor = getattr(forward_passes, name)(image, formula, UPSAMPLERS[scale])
    assert output.shape == (2, 3, 11 * scale, 11 * scale)
    torch.testing.assert_close(output, expected, rtol=1e-4, atol=1e-4 * float(expected.std()))
    assert state.keys() == formula.keys()


@pytest.mark.parametrize(("name", "scale"), SCALES)
def test_a_network_equals_its_own_formula(name: str, scale: int, tmp_path: Path) -> None:
    state = MAKERS[name](scale)
    check_equal(state, state, name, write(state, tmp_path / "n.pth"), scale)


@pytest.mark.parametrize("name", ["edsr_pytorch", "basicsr_edsr"])
def test_residuals_of_large_networks_have_their_factor(name: str, tmp_path: Path) -> None:
    state = MAKERS[name](channels=256, blocks=1)
    check_equal(state, state, name, write(state, tmp_path / "n.pth"))


def test_edsr_of_unit_range(tmp_path: Path) -> None:
    state = made_states.edsr_pytorch(value_range=1.0)
    check_equal(state, state, "edsr_pytorch", write(state, tmp_path / "n.pth"))


def test_edsr_without_the_layers_of_the_mean_has_that_of_div2k(tmp_path: Path) -> None:
    state = made_states.edsr_pytorch()
    rest = {key: value for key, value in state.items() if "mean" not in key}
    check_equal(state, state, "edsr_pytorch", write(rest, tmp_path / "n.pth"))


def test_what_is_not_added_back_stays_away(tmp_path: Path) -> None:
    state = made_states.edsr_pytorch()
    state["add_mean.bias"] = state["add_mean.bias"] + torch.tensor([1.0, 2.0, 3.0])
    check_equal(state, state, "edsr_pytorch", write(state, tmp_path / "n.pth"))


def test_old_names_of_srgan_pytorch(tmp_path: Path) -> None:
    state = made_states.srgan_pytorch(conv="conv_block")
    check_equal(state, state, "srgan_pytorch", write(state, tmp_path / "n.pth"))


def test_norms_of_old_versions_of_torch_count_nothing(tmp_path: Path) -> None:
    state = made_states.cadyq_srresnet()
    rest = {key: value for key, value in state.items() if "num_batches" not in key}
    check_equal(state, state, "cadyq_srresnet", write(rest, tmp_path / "n.pth"))


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("kind", ["safetensors", "pth"])
def test_half_precision_equals_its_rounded_weights(
    name: str, dtype: torch.dtype, kind: str, tmp_path: Path
) -> None:
    state = {
        key: value.to(dtype) if value.is_floating_point() else value
        for key, value in MAKERS[name]().items()
    }
    path = tmp_path / f"n.{kind}"
    if kind == "safetensors":
        path.write_bytes(safetensors.torch.save({key: v.clone() for key, v in state.items()}))
    else:
        write(state, path)
    rounded = {key: v.float() if v.is_floating_point() else v for key, v in state.items()}
    check_equal(state, rounded, name, path)


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: {"params": state},
        lambda state: {"params": {}, "params_ema": state},
        lambda state: {"state_dict": state, "epoch": 3},
        lambda state: {"model": {"state_dict": state}, "optimizer": {}},
        lambda state: {f"module.{key}": value for key, value in state.items()},
        lambda state: {"state_dict": {f"model.{key}": value for key, value in state.items()}},
        lambda state: {"params_ema": {f"module.{key}": value for key, value in state.items()}},
    ],
    ids=["params", "params_ema", "state_dict", "model", "module", "lightning", "both"],
)
def test_wrappers(name: str, wrap: Callable[[State], object], tmp_path: Path) -> None:
    state = MAKERS[name]()
    torch.save(wrap(state), tmp_path / "n.pth")
    check_equal(state, state, name, tmp_path / "n.pth")


@pytest.mark.parametrize("name", MAKERS)
def test_float_weights_are_sent_to_gdq_calibrate(name: str, tmp_path: Path) -> None:
    path = write(MAKERS[name](), tmp_path / "my net.pth")
    command = rf"gdq-calibrate '{path}' -o 'my net_calibrated\.safetensors'"
    with pytest.raises(CheckpointError, match=f"float weights.*: {command}$"):
        load_checkpoint(path)


@pytest.mark.parametrize("name", MAKERS)
def test_every_key_is_named_when_it_is_missing_or_foreign(name: str, tmp_path: Path) -> None:
    state = MAKERS[name](blocks=1)
    optional = ("sub_mean", "add_mean", "num_batches_tracked")
    for key in state:
        if any(part in key for part in optional):
            continue
        rest = {other: value for other, value in state.items() if other != key}
        with pytest.raises(CheckpointError, match=r"missing|no key|no known|not that of|no slopes"):
            load_float_checkpoint(write(rest, tmp_path / "n.pth"))
    extra = state | {"body.0.attention.weight": torch.zeros(1)}
    with pytest.raises(CheckpointError, match=r"'body\.0\.attention\.weight' is no key of "):
        load_float_checkpoint(write(extra, tmp_path / "n.pth"))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("sub_mean.weight", 2 * torch.eye(3).view(3, 3, 1, 1), "does more than add a colour"),
        ("add_mean.bias", torch.zeros(2), "has shape"),
        ("tail.0.0.weight", torch.zeros(8 * 25, 8, 3, 3), "none of the scales"),
        ("body.0.body.0.weight", torch.zeros(8, 8, 1, 1), "has shape"),
        ("head.0.weight", torch.full((8, 3, 3, 3), torch.nan), "not a finite"),
    ],
)
def test_senseless_entries_are_refused(
    key: str, value: Tensor, message: str, tmp_path: Path
) -> None:
    state = made_states.edsr_pytorch() | {key: value}
    with pytest.raises(CheckpointError, match=message):
        load_float_checkpoint(write(state, tmp_path / "n.pth"))
