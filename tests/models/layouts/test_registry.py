"""One detection for all commands: what a file looks like, and what is supported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from core.made_pictures import png_bytes, random_image
from factories import released_state_dict, tiny_edsr, tiny_srresnet
from gdq_exporter.cli.export import main as export
from gdq_models import CheckpointError, load_checkpoint, load_float_checkpoint
from gdq_models.cli.calibrate import main as calibrate
from gdq_models.cli.train import main as train
from gdq_models.layouts.registry import LAYOUTS
from models.layouts import made_states
from models.layouts.made_states import State

STATES: dict[str, State] = {
    "SRResNet as released with Granular-DQ": released_state_dict(tiny_srresnet()),
    "SRResNet of CADyQ": made_states.cadyq_srresnet(),
    "SRResNet of SRGAN-PyTorch": made_states.srgan_pytorch(),
    "EDSR of EDSR-PyTorch": made_states.edsr_pytorch(),
    "EDSR of BasicSR": made_states.basicsr_edsr(),
    "SRVGGNetCompact of Real-ESRGAN": made_states.srvgg(),
}
UNSUPPORTED = {
    "RRDBNet": ["conv_first.weight", "body.0.rdb1.conv1.weight", "conv_body.weight"],
    "MSRResNet": ["conv_first.weight", "body.0.conv1.weight", "upconv1.weight", "conv_hr.weight"],
    "SwinIR": ["conv_first.weight", "layers.0.residual_group.blocks.0.attn.qkv.weight"],
    "HAT": [
        "conv_first.weight",
        "layers.0.residual_group.blocks.0.attn.qkv.weight",
        "layers.0.residual_group.overlap_attn.qkv.weight",
    ],
    "IDN": ["fblock.module.0.weight", "dblocks.0.enhancement_top.0.weight", "deconv.weight"],
    "RCAN": ["head.0.weight", "body.0.body.0.body.0.weight", "tail.1.weight"],
}
RECIPE = """
name: tiny
network: {name: edsr, scale: 2, channels: 8, blocks: 1}
held_out: 1
stages: [{kind: float, steps: 1, batch: 1, patch: 16, rates: {weights: 0.001}}]
"""


def first_layout(state: State) -> str | None:
    shapes = {key: tuple(value.shape) for key, value in state.items()}
    return next((layout.title for layout in LAYOUTS if layout.detects(shapes)), None)


def test_every_layout_is_recognised_as_itself() -> None:
    assert STATES.keys() == {layout.title for layout in LAYOUTS}
    assert {first_layout(state) for state in STATES.values()} == STATES.keys()
    assert all(first_layout(state) == title for title, state in STATES.items())
    assert first_layout(tiny_edsr().state_dict()) is None
    assert first_layout(tiny_srresnet().state_dict()) is None


@pytest.fixture(params=UNSUPPORTED)
def unsupported(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    state = {f"module.{key}": torch.zeros(8, 8, 3, 3) for key in UNSUPPORTED[request.param]}
    torch.save({"params_ema": state}, tmp_path / "net.pth")
    return request.param, tmp_path / "net.pth"


@pytest.mark.parametrize("load", [load_checkpoint, load_float_checkpoint])
def test_an_unsupported_network_is_called_by_its_name(
    load: Callable[[Path], object], unsupported: tuple[str, Path]
) -> None:
    name, path = unsupported
    message = rf"this looks like {name}.*, which is not supported; supported: srresnet, edsr, com"
    with pytest.raises(CheckpointError, match=message) as caught:
        load(path)
    assert all(layout.title in str(caught.value) for layout in LAYOUTS)


def test_all_commands_say_the_same(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    torch.save({key: torch.zeros(8, 8, 3, 3) for key in UNSUPPORTED["RRDBNet"]}, path)
    (tmp_path / "photos").mkdir()
    for number in range(2):
        photo = png_bytes(random_image(256, 256, seed=number))
        (tmp_path / f"photos/{number}.png").write_bytes(photo)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    photos = str(tmp_path / "photos")
    outputs = ["-o", str(tmp_path / "out")]
    recipe = [str(tmp_path / "recipe.yaml"), "--photos", photos, "--weights"]
    said = [
        CliRunner().invoke(command, arguments)
        for command, arguments in (
            (export, [str(path), *outputs]),
            (calibrate, [str(path), *outputs]),
            (train, [*recipe, str(path), *outputs]),
        )
    ]
    assert [one.exit_code for one in said] == [2, 2, 2], [one.output for one in said]
    sentences = {one.stderr.splitlines()[-1] for one in said}
    assert len(sentences) == 1
    assert f"error: {path}: this looks like RRDBNet" in sentences.pop()
