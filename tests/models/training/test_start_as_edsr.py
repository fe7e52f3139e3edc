from __future__ import annotations

from pathlib import Path

import pytest
import torch

from factories import tiny_edsr
from gdq_models import CheckpointError, save_checkpoint
from gdq_models.training.recipe import NetworkRecipe
from gdq_models.training.start import build_network

WANTED = NetworkRecipe(name="srresnet", scale=2, channels=16, blocks=2)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_equals_an_edsr_without_biases_before_a_prelu(tmp_path: Path, scale: int) -> None:
    given = tiny_edsr(scale=scale, value_range=255.0, mean=(1.0, 2.0, 3.0))
    with torch.no_grad():
        for layer in (given.head, *(block.conv1 for block in given.body), *given.up, given.tail):
            layer.bias.zero_()
    save_checkpoint(given, tmp_path / "edsr.safetensors")
    wanted = WANTED.model_copy(update={"scale": scale})
    network = build_network(wanted, tmp_path / "edsr.safetensors", seed=1).eval()
    image = torch.rand(1, 3, 20, 24) * 255
    with torch.no_grad():
        # A norm divides by sqrt(1 + 1e-5), six times here.
        torch.testing.assert_close(network(image), given(image), rtol=1e-3, atol=1e-2)


def test_refuses_an_edsr_of_another_scale(tmp_path: Path) -> None:
    save_checkpoint(tiny_edsr(scale=3), tmp_path / "edsr.safetensors")
    with pytest.raises(CheckpointError, match=r"is an EDSR x3, not x2"):
        build_network(WANTED, tmp_path / "edsr.safetensors", seed=1)
