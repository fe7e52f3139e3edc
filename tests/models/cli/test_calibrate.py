from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import safetensors.torch
import torch
from click.testing import CliRunner, Result

from factories import tiny_edsr
from gdq_models import load_checkpoint, save_checkpoint
from gdq_models.cli.calibrate import main
from gdq_models.networks.base import SuperResolutionNetwork


def is_float_weight(key: str) -> bool:
    return not any(part in key for part in ("predictor", ".act.", "quantizer"))


def write_float(network: SuperResolutionNetwork, path: Path) -> Path:
    state = {key: value for key, value in network.state_dict().items() if is_float_weight(key)}
    path.write_bytes(safetensors.torch.save(state))
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(2):
        y, x = np.mgrid[:128, :128]
        noise = np.random.default_rng(number).normal(size=(128, 128, 3)) * (x / 3)[..., None]
        photo = np.clip(np.stack([x, y, 255 - x], axis=2) + noise, 0, 255)
        cv2.imwrite(str(folder / f"{number}.png"), photo.astype(np.uint8))
    return folder


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return write_float(tiny_edsr(), tmp_path / "float.safetensors")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_writes_a_checkpoint_and_says_what_is_next(weights: Path, photos: Path) -> None:
    output = weights.with_name("out.safetensors")
    result = run(weights, "--images", photos, "-o", output, "--tile", 32, "--target-fab", 5)
    assert result.exit_code == 0, result.output
    assert f"next: gdq-export {output} -o bundle" in result.stdout
    assert "8 tiles of 2 photos (photos)" in result.stdout
    assert result.stderr.splitlines() == ["steps ...", "tiles ...", "gate ..."]
    network = load_checkpoint(output).network
    assert network.gate_predictor.gate.kind == "group_norm"
    assert network.gate_predictor.e2b.table().tile == 32


def test_a_machine_gets_json(weights: Path, photos: Path) -> None:
    output = weights.with_name("out.safetensors")
    arguments = ("--images", photos, "-o", output, "--tile", 32, "--gate", "linear")
    result = run(weights, *arguments, "--format", "json")
    document = json.loads(result.stdout)
    assert document["checkpoint"] == str(output)
    assert document["tiles"] == 8
    assert document["psnr"].keys() == {"4", "5", "6", "8"}
    assert load_checkpoint(output).network.gate_predictor.gate.kind == "linear"


def test_statistics_say_what_they_win_and_that_photos_are_few(weights: Path, photos: Path) -> None:
    output = weights.with_name("out.safetensors")
    arguments = ("--images", photos, "-o", output, "--tile", 32, "--gate", "statistics")
    result = run(weights, *arguments)
    assert result.exit_code == 0, result.output
    assert "lost at 4.6 bits on unseen photos" in result.stdout
    assert "2 photos are few; with 60 or more" in result.stdout
    assert load_checkpoint(output).network.predictor.kind == "statistics"


def test_existing_output_is_kept_unless_told_otherwise(weights: Path, photos: Path) -> None:
    output = weights.with_name("out.safetensors")
    output.write_text("mine")
    arguments = (weights, "--images", photos, "-o", output, "--tile", 32)
    for options in ((), ("--overwrite",)):
        refused = run(*arguments, *options)
        assert (refused.exit_code, output.read_text()) == (2, "mine")
    assert refused.stderr == (
        f"error: {output} is not a checkpoint of ours and is kept: choose another output\n"
    )
    output.unlink()
    save_checkpoint(tiny_edsr(), output)
    before = output.read_bytes()
    refused = run(*arguments)
    assert refused.stderr == f"error: {output} exists; --overwrite replaces it\n"
    assert output.read_bytes() == before
    assert run(*arguments, "--overwrite").exit_code == 0
    assert output.read_bytes() != before


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"weights": "absent.safetensors"}, "cannot be read"),
        ({"weights": "text.safetensors"}, "is neither a safetensors file nor"),
        ({"--images": "absent"}, "is not a folder of pictures"),
        ({"--images": "empty"}, "holds no picture"),
        ({"--images": "broken"}, "cannot be read"),
        ({"--tile": 128}, "no photo is at least 256 pixels"),
        ({"-o": "photos"}, "is an input of this command"),
        ({"-o": "absent/out.safetensors"}, "there is no folder"),
        ({"-o": "float.safetensors"}, "is an input of this command"),
        ({"-o": "photos/out.safetensors"}, "lies in"),
    ],
)
def test_bad_input_gets_one_sentence(
    weights: Path, photos: Path, changes: dict[str, object], sentence: str
) -> None:
    folder = weights.parent
    (folder / "text.safetensors").write_text("no weights at all")
    (folder / "empty").mkdir()
    (folder / "broken").mkdir()
    (folder / "broken" / "a.jpg").write_bytes(b"\xff\xd8\xff")
    options = {"weights": weights, "--images": photos, "-o": "out.safetensors", "--tile": 32}
    options |= changes
    for option in ("weights", "--images", "-o"):
        options[option] = folder / str(options[option])
    source = options.pop("weights")
    result = run(source, *(part for option in options.items() for part in option))
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert sentence in result.stderr.splitlines()[-1]
    assert not (folder / "out.safetensors").exists()


def test_weights_that_overflow_get_one_sentence(weights: Path, photos: Path) -> None:
    network = tiny_edsr()
    with torch.no_grad():
        network.head.weight.fill_(3e38)
    write_float(network, weights)
    output = weights.with_name("out.safetensors")
    result = run(weights, "--images", photos, "-o", output, "--tile", 32)
    assert (result.exit_code, output.exists()) == (2, False)
    assert result.stderr.splitlines()[-1].startswith("error: the network's activations")


@pytest.mark.parametrize("option", [("--target-fab", 3.9), ("--tile", 8), ("--gate", "none")])
def test_options_out_of_range_are_refused(weights: Path, option: tuple[str, object]) -> None:
    result = run(weights, "-o", weights.with_name("out.safetensors"), *option)
    assert result.exit_code == 2
    assert option[0] in result.stderr
