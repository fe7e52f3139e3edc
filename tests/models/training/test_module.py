from __future__ import annotations

from pathlib import Path

import lightning
import pytest
import torch

from factories import tiny_edsr, tiny_srresnet
from gdq_models.networks.base import SuperResolutionNetwork
from gdq_models.training.data import TrainingPhotos
from gdq_models.training.module import GranularTraining
from gdq_models.training.recipe import Recipe

pytestmark = pytest.mark.filterwarnings(
    r"ignore:Found \d+ module", r"ignore:`isinstance\(treespec, LeafSpec\)` is deprecated"
)


def trained(
    recipe: Recipe,
    photo_folder: Path,
    folder: Path,
    kind: str,
    network: SuperResolutionNetwork | None = None,
) -> GranularTraining:
    """Runs one stage of the recipe on a network that has steps."""
    stage = next(stage for stage in recipe.stages if stage.kind == kind)
    recipe = recipe.model_copy(update={"stages": (stage,), "precision": "32-true"})
    network = network or tiny_edsr(gate="group_norm", channels=8, blocks=1)
    # As in a new training; those of the factory are so far apart that no gradient passes.
    for parameter in network.gate_predictor.gate.linear.parameters():
        torch.nn.init.zeros_(parameter)
    module = GranularTraining(network, recipe)
    trainer = lightning.Trainer(
        accelerator="cpu",
        devices=1,
        max_steps=recipe.steps,
        max_epochs=-1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    photos = TrainingPhotos(photo_folder, folder / "cache", recipe, lambda *_: None)
    trainer.fit(module, datamodule=photos)
    return module


def moved(module: GranularTraining) -> set[str]:
    """Names the parts of the network that differ from the teacher, which is their start."""
    start = module.teacher.state_dict()
    changed = {
        key
        for key, value in module.network.state_dict().items()
        if not torch.equal(value, start[key]) and not key.startswith("predictor.e2b")
    }
    parts = set()
    for key in changed:
        if key.startswith("predictor.gate"):
            parts.add("gate")
        elif key.endswith((".steps", ".step")):
            parts.add("steps")
        else:
            parts.add("weights")
    return parts


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("float", {"weights"}),
        ("widths", {"weights", "steps"}),
        ("gate", {"gate"}),
        ("finish", {"weights", "steps", "gate"}),
    ],
)
def test_each_stage_moves_its_parts_and_no_others(
    kind: str, parts: set[str], tiny_recipe: Recipe, photo_folder: Path, tmp_path: Path
) -> None:
    assert moved(trained(tiny_recipe, photo_folder, tmp_path, kind)) == parts


def test_every_step_of_every_width_learns(
    tiny_recipe: Recipe, photo_folder: Path, tmp_path: Path
) -> None:
    module = trained(tiny_recipe, photo_folder, tmp_path, "widths")
    for (name, layer), (_, start) in zip(
        module.network.quantized_layers(), module.teacher.quantized_layers(), strict=True
    ):
        assert (layer.act.steps != start.act.steps).all(), name
        assert layer.weight_quantizer.step != start.weight_quantizer.step, name


def test_the_whole_gate_receives_gradients(
    tiny_recipe: Recipe, photo_folder: Path, tmp_path: Path
) -> None:
    """The released gate receives none (paper notes, section 5)."""
    module = trained(tiny_recipe, photo_folder, tmp_path, "gate")
    start = dict(module.teacher.gate_predictor.gate.named_parameters())
    for name, parameter in module.network.gate_predictor.gate.named_parameters():
        assert not torch.equal(parameter, start[name]), name


@pytest.mark.parametrize("target", [4.1, 7.0])
def test_the_budget_draws_the_gate_towards_its_target(
    target: float, tiny_recipe: Recipe, photo_folder: Path, tmp_path: Path
) -> None:
    """Entropy rule out of the way: the third choice means 8 bits."""
    stage = tiny_recipe.stages[2].model_copy(
        update={
            "steps": 150,
            "target_fab": target,
            "budget": 50.0,
            "teacher": 0.0,
            "rates": tiny_recipe.stages[2].rates.model_copy(update={"gate": 0.03}),
        }
    )
    recipe = tiny_recipe.model_copy(update={"stages": (stage,)})
    module = trained(recipe, photo_folder, tmp_path, "gate")
    reached = float(module.running_fab)
    # A table of a handful of tiles lets only few patches have 8 bits; 7 is out of reach.
    assert reached < 4.5 if target < 4.5 else reached > 5.0


@pytest.mark.parametrize("kind", ["float", "widths"])
def test_norms_learn_statistics_only_in_float(
    tiny_recipe: Recipe, photo_folder: Path, tmp_path: Path, kind: str
) -> None:
    network = tiny_srresnet(gate="group_norm", channels=8, blocks=1)
    module = trained(tiny_recipe, photo_folder, tmp_path, kind, network)
    moves = [
        key
        for key, value in module.network.state_dict().items()
        if "running_" in key and not torch.equal(value, module.teacher.state_dict()[key])
    ]
    assert bool(moves) == (kind == "float")
