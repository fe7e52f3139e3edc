from __future__ import annotations

import hashlib
import json
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from factories import sample_tiles, tiny_edsr, tiny_srresnet
from gdq_core.errors import OutputError
from gdq_core.sensitivity.heads import SensitivityHeads
from gdq_core.sensitivity.prices import PriceSteps
from gdq_core.sensitivity.rule import SensitivityRule
from gdq_models import (
    CheckpointError,
    EntropyTable,
    SuperResolutionNetwork,
    load_checkpoint,
    load_float_checkpoint,
    save_checkpoint,
    save_entropy_table,
)
from gdq_models.checkpoint import round_weights
from gdq_models.predictor.gate_kind import GateKind
from gdq_models.predictor.statistics import HeldOutLosses, StatisticsPredictor
from sensitivities import draw_rule

State = dict[str, torch.Tensor]


def write(state: State, path: Path) -> Path:
    safetensors.torch.save_file({key: value.contiguous() for key, value in state.items()}, path)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tiny.safetensors"


@pytest.mark.parametrize("make", [tiny_edsr, tiny_srresnet])
@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("gate", ["linear", "group_norm"])
def test_round_trip(
    make: Callable[[int, GateKind], SuperResolutionNetwork],
    scale: int,
    gate: GateKind,
    path: Path,
) -> None:
    network = make(scale, gate)
    save_checkpoint(network, path)
    loaded = load_checkpoint(path, scale=scale)
    assert type(loaded.network) is type(network)
    assert not loaded.network.training
    assert loaded.name == "tiny"
    assert loaded.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    tiles = sample_tiles(4, size=12)
    expected, found = network.predict(tiles), loaded.network.predict(tiles)
    assert torch.equal(found.bit_width, expected.bit_width)
    route = network.route_for(expected.bit_width)
    assert torch.equal(loaded.network(tiles, route), network(tiles, route))


def test_our_state_dict_saved_by_torch_loads_too(path: Path) -> None:
    network = tiny_edsr()
    torch.save({"state_dict": network.state_dict(), "epoch": 3}, path)
    image = sample_tiles(1, size=8)
    assert torch.equal(load_checkpoint(path).network(image), network(image))


def test_rounded_weights_halve_the_file_and_come_back(path: Path) -> None:
    network = tiny_edsr(channels=32)
    network.tail.weight.data[0, 0, 0, 0] = 1e6  # too large for half precision: kept as it is
    before = {key: value.clone() for key, value in network.state_dict().items()}
    save_checkpoint(network, path)
    size = path.stat().st_size
    round_weights(network)
    save_checkpoint(network, path, overwrite=True)
    assert path.stat().st_size < 0.65 * size
    loaded = load_checkpoint(path).network.state_dict()
    for key, value in network.state_dict().items():
        assert torch.equal(loaded[key], value), key
        torch.testing.assert_close(value, before[key], rtol=2**-11, atol=1e-7, equal_nan=True)
    assert loaded["tail.weight"][0, 0, 0, 0] == 1e6


def test_half_precision_weights_load(path: Path) -> None:
    network = tiny_edsr()
    state = {
        key: value.half() if key.endswith((".weight", ".bias")) else value
        for key, value in network.state_dict().items()
    }
    loaded = load_checkpoint(write(state, path)).network
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}


def test_a_given_table_replaces_the_checkpoints(path: Path, tmp_path: Path) -> None:
    save_checkpoint(tiny_edsr(), path)
    table = EntropyTable.build([1.0, 2.0, 3.0], tile=48, scale=2)
    save_entropy_table(table, tmp_path / "table.json")
    e2b = load_checkpoint(path, entropy_table=tmp_path / "table.json").network.gate_predictor.e2b
    assert e2b.table().entropies.tolist() == table.entropies.tolist()
    assert e2b.provenance.tolist() == [3, 48, 2]


def test_statistics_have_no_entropy_table(path: Path, tmp_path: Path) -> None:
    network = tiny_edsr()
    network.predictor = StatisticsPredictor()
    heads = SensitivityHeads(np.zeros((3, 9), np.int64), np.zeros(3, np.int64), 96)
    rule = SensitivityRule(heads, PriceSteps((17, 74, 134)), price=-60, flat=-150)
    save_checkpoint(network, path)
    with pytest.raises(CheckpointError, match="never fitted"):
        load_checkpoint(path)
    network.predictor.install(rule)
    save_checkpoint(network, path, overwrite=True)
    loaded = load_checkpoint(path).network.predictor
    assert isinstance(loaded, StatisticsPredictor)
    assert loaded.rule().price == -60
    save_entropy_table(EntropyTable.build([1.0, 2.0], tile=48, scale=2), tmp_path / "table.json")
    with pytest.raises(CheckpointError, match="no entropy rule: omit the entropy table"):
        load_checkpoint(path, entropy_table=tmp_path / "table.json")


def test_heads_of_which_no_losses_are_known_are_loaded(path: Path) -> None:
    network = tiny_edsr()
    network.predictor = StatisticsPredictor()
    network.predictor.install(draw_rule(), HeldOutLosses(4.6, 0.1, 0.2))
    save_checkpoint(network, path)
    state = safetensors.torch.load_file(path)
    del state["predictor.held_out"]
    safetensors.torch.save_file(state, path)
    loaded = load_checkpoint(path).network.predictor
    assert isinstance(loaded, StatisticsPredictor)
    assert loaded.losses() is None
    assert loaded.rule().price == draw_rule().price


def test_a_broken_table_is_named_itself(path: Path, tmp_path: Path) -> None:
    save_checkpoint(tiny_edsr(), path)
    (tmp_path / "table.json").write_text("no")
    with pytest.raises(CheckpointError, match=r"^\S*table\.json is not an entropy table"):
        load_checkpoint(path, entropy_table=tmp_path / "table.json")


def set_value(key: str, value: torch.Tensor) -> Callable[[State], object]:
    return lambda state: state.__setitem__(key, value)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda s: s.pop("body.1.conv2.bias"), r"missing keys: body\.1\.conv2\.bias"),
        (lambda s: [s.pop(k) for k in list(s) if ".act." in k], r"missing keys: .* and \d+ more"),
        (lambda s: s.pop("head.weight"), "no known network"),
        (set_value("extra", torch.zeros(1)), "no key 'extra'"),
        (set_value("body.0.conv1.weight", torch.zeros(16, 16, 1, 1)), "has shape"),
        (set_value("tail.bias", torch.zeros(3, dtype=torch.int64)), "has dtype torch.int64"),
        (set_value("tail.bias", torch.full((3,), torch.nan)), "not a finite"),
        (set_value("value_range", torch.tensor(7.0)), "'value_range' must be one of"),
        (set_value("body.0.conv1.act.initialised", torch.tensor([True] * 3 + [False])), "never"),
        (set_value("body.0.conv1.weight_quantizer.initialised", torch.tensor(False)), "never"),
        (set_value("body.1.conv1.act.steps", torch.tensor([1.0, 1, 0, 1])), "must be positive"),
        (set_value("body.1.conv1.weight_quantizer.step", torch.tensor(-1.0)), "must be positive"),
        (set_value("body.1.conv1.act.steps", torch.tensor([1.0, 1, 1, torch.inf])), "not a finite"),
        (set_value("predictor.e2b.quantiles", torch.tensor([0.5, 1.0]).double()), "inside"),
        (
            set_value("predictor.e2b.entropies", torch.full((199,), torch.nan).double()),
            "no entropy table",
        ),
        (set_value("predictor.e2b.provenance", torch.tensor([-1, 0, 0])), "count, tile and scale"),
    ],
)
def test_damage_gets_a_sentence(
    damage: Callable[[State], object], message: str, path: Path
) -> None:
    state = dict(tiny_edsr().state_dict())
    damage(state)
    with pytest.raises(CheckpointError, match=message) as caught:
        load_checkpoint(write(state, path))
    assert str(caught.value).startswith(str(path))


def test_a_negative_variance_is_refused(path: Path) -> None:
    state = dict(tiny_srresnet().state_dict())
    state["body.0.norm1.running_var"] = torch.full((16,), -1.0)
    with pytest.raises(CheckpointError, match="negative variance"):
        load_checkpoint(write(state, path))


def test_another_scale_is_refused(path: Path) -> None:
    save_checkpoint(tiny_edsr(scale=2), path)
    with pytest.raises(CheckpointError, match="upscales by 2, not by 4"):
        load_checkpoint(path, scale=4)


def test_sizes_that_no_memory_holds_are_refused_before_they_are_taken(path: Path) -> None:
    """A header may claim 2^40 output channels as long as a dimension of zero makes it no bytes."""
    shape = [1 << 40, 3, 0, 3]
    header = {"head.weight": {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]}}
    encoded = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(encoded)) + encoded)
    with pytest.raises(CheckpointError, match="no known network"):
        load_checkpoint(path)


def test_many_wide_blocks_of_one_expanded_value_are_refused(path: Path) -> None:
    """256 blocks of 512 channels would be 4.8 GiB; in the file they are a single number."""
    value = torch.zeros(1)
    state = {f"body.{i}.conv1.weight": value.expand(512, 512, 3, 3) for i in range(256)}
    torch.save(state | {"head.weight": value.expand(512, 3, 3, 3)}, path)
    assert path.stat().st_size < 1 << 20
    with pytest.raises(CheckpointError, match="of tensors"):
        load_checkpoint(path)


def test_float_weights_load_without_steps(path: Path) -> None:
    network = tiny_edsr()
    layers = ("head.", "body.", "body_end.", "up.", "tail.")
    state = {
        key: value
        for key, value in network.state_dict().items()
        if key.startswith(layers) and key.endswith((".weight", ".bias"))
    }
    loaded = load_float_checkpoint(write(state, path), scale=2).network
    image = sample_tiles(1, size=8)
    assert torch.equal(loaded(image), network(image))
    with pytest.raises(CheckpointError, match="float weights"):
        load_checkpoint(path)


def test_float_loading_takes_what_else_is_there(path: Path) -> None:
    network = tiny_srresnet()
    state = dict(network.state_dict())
    state["body.0.conv1.act.initialised"] = torch.zeros(4, dtype=torch.bool)
    loaded = load_float_checkpoint(write(state, path)).network
    layers = dict(loaded.quantized_layers())
    assert not layers["body.0.conv1"].act.initialised.any()
    assert layers["body.1.conv1"].act.initialised.all()


def test_float_loading_names_missing_weights(path: Path) -> None:
    state = dict(tiny_edsr().state_dict())
    del state["tail.weight"]
    with pytest.raises(CheckpointError, match=r"missing keys: tail\.weight"):
        load_float_checkpoint(write(state, path))


def test_the_shared_float_network_loads() -> None:
    shared = Path(__file__).parents[2] / "../shared/weights/edsr_baseline_x2_float.safetensors"
    if not shared.exists():
        pytest.skip("the shared weights are not there")
    network = load_float_checkpoint(shared, scale=2).network
    assert (network.name, network.channels, network.blocks) == ("edsr", 64, 16)
    assert float(network.value_range) == 1


def test_an_existing_file_is_kept_unless_told(path: Path) -> None:
    save_checkpoint(tiny_edsr(seed=1), path)
    before = path.read_bytes()
    with pytest.raises(OutputError, match="exists; --overwrite replaces it"):
        save_checkpoint(tiny_edsr(seed=2), path)
    assert path.read_bytes() == before
    save_checkpoint(tiny_edsr(seed=2), path, overwrite=True)
    assert path.read_bytes() != before
    load_checkpoint(path)
    assert list(path.parent.iterdir()) == [path]


def test_what_is_no_checkpoint_of_ours_is_never_replaced(path: Path) -> None:
    path.write_bytes(safetensors.torch.save({"weight": torch.zeros(3)}))
    before = path.read_bytes()
    with pytest.raises(OutputError, match="is not a checkpoint of ours and is kept"):
        save_checkpoint(tiny_edsr(), path, overwrite=True)
    assert path.read_bytes() == before


def test_a_missing_folder_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written: there is no folder"):
        save_checkpoint(tiny_edsr(), tmp_path / "absent" / "a.safetensors")


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of file sizes on this platform")
def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """The process may write no file larger than 4 KiB, as on a full disk."""
    program = f"""
import resource, signal, sys, pathlib
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
sys.path[:0] = {sys.path!r}
from gdq_core.errors import OutputError
from gdq_models import EDSR, save_checkpoint
try:
    save_checkpoint(EDSR(scale=2, channels=16, blocks=1), pathlib.Path({str(tmp_path)!r}) / "a")
except OutputError as error:
    print(error)
"""
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "cannot be written: File too large" in finished.stdout
    assert list(tmp_path.iterdir()) == []
