from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Literal

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from gdq_core.errors import ImageError
from gdq_models import load_checkpoint
from gdq_models.training.errors import TrainingError, TrainingInterrupted
from gdq_models.training.recipe import Recipe, load_recipe
from gdq_models.training.run import Machine, TrainingResult, train
from gdq_models.training.run_folder import RECIPE_FILE, RESUME_FILE, Run

SMOKE = Path(__file__).resolve().parents[3] / "models" / "recipes" / "smoke.yaml"
CPU = Machine(accelerator="cpu", devices="1")


def run_to_the_end(recipe: Recipe, run: Run, *, resume: bool = False) -> TrainingResult:
    result = train(recipe, run, CPU, resume=resume, progress=lambda *_: None)
    assert result is not None
    return result


def interrupt_once_saved(folder: Path, number: signal.Signals) -> threading.Thread:
    """Sends a signal as soon as a step was saved: between or within steps, as it happens."""

    def wait_and_send() -> None:
        while not (folder / RESUME_FILE).exists():
            time.sleep(0.001)
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=wait_and_send, daemon=True)
    thread.start()
    return thread


@pytest.fixture(scope="module")
def finished(
    tiny_recipe: Recipe, photo_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> TrainingResult:
    folder = tmp_path_factory.mktemp("finished")
    return run_to_the_end(tiny_recipe, Run(photo_folder, folder / "run", folder / "cache"))


def test_leaves_a_checkpoint_that_can_be_exported(finished: TrainingResult) -> None:
    network = load_checkpoint(finished.checkpoint).network
    assert network.gate_predictor.e2b.table().tile == 32
    assert network.predict(torch.rand(2, 3, 32, 32) * 255).bit_width.shape == (2,)


def test_leaves_metrics_and_a_log(finished: TrainingResult, tiny_recipe: Recipe) -> None:
    metrics = json.loads(finished.metrics.read_text())
    assert Recipe.model_validate(metrics["recipe"]) == tiny_recipe
    assert finished.measurement is not None
    assert metrics["held_out"]["routed"] == finished.measurement.routed
    log = EventAccumulator(str(finished.metrics.parent / "log"))
    log.Reload()
    assert log.Tags()["scalars"]


@pytest.mark.parametrize(
    ("kind", "number"),
    [("widths", signal.SIGTERM), ("gate", signal.SIGINT), ("finish", signal.SIGHUP)],
)
def test_an_interrupted_run_ends_with_the_same_weights(
    kind: Literal["widths", "gate", "finish"],
    number: signal.Signals,
    finished: TrainingResult,
    tiny_recipe: Recipe,
    photo_folder: Path,
    tmp_path: Path,
) -> None:
    """Saved first after some steps of the stage; interrupted in it, or in one that follows."""
    kinds = [stage.kind for stage in tiny_recipe.stages]
    before = sum(stage.steps for stage in tiny_recipe.stages[: kinds.index(kind)])
    recipe = tiny_recipe.model_copy(update={"checkpoint_every": before + 1})
    run = Run(photo_folder, tmp_path / "run", tmp_path / "cache")
    handler = signal.signal(number, signal.default_int_handler)  # nohup ignores SIGHUP
    sender = interrupt_once_saved(run.folder, number)
    with pytest.raises(TrainingInterrupted, match="of 14 steps"):
        run_to_the_end(recipe, run)
    sender.join()
    signal.signal(number, handler)
    assert not list(run.folder.glob(".gdq-*"))
    result = run_to_the_end(recipe, run, resume=True)
    assert result.measurement == finished.measurement
    ours, expected = (load_checkpoint(r.checkpoint).network for r in (result, finished))
    for key, value in expected.state_dict().items():
        assert torch.equal(ours.state_dict()[key], value), key


def test_a_finished_run_can_be_resumed_for_its_result(
    finished: TrainingResult, tiny_recipe: Recipe, photo_folder: Path
) -> None:
    folder = finished.metrics.parent
    run = Run(photo_folder, folder, folder.parent / "cache")
    assert run_to_the_end(tiny_recipe, run, resume=True).measurement == finished.measurement


def test_refuses_a_folder_that_holds_a_run(
    finished: TrainingResult, tiny_recipe: Recipe, photo_folder: Path, tmp_path: Path
) -> None:
    run = Run(photo_folder, finished.metrics.parent, tmp_path / "cache")
    with pytest.raises(TrainingError, match="already holds a run"):
        run_to_the_end(tiny_recipe, run)
    other = tiny_recipe.model_copy(update={"seed": 2})
    with pytest.raises(TrainingError, match="recipe differs from that of the run"):
        run_to_the_end(other, run, resume=True)


def test_refuses_to_resume_what_is_not_there_or_damaged(
    tiny_recipe: Recipe, photo_folder: Path, tmp_path: Path
) -> None:
    run = Run(photo_folder, tmp_path, tmp_path / "cache")
    with pytest.raises(TrainingError, match=r"holds no resume\.ckpt"):
        run_to_the_end(tiny_recipe, run, resume=True)
    (tmp_path / RESUME_FILE).write_bytes(b"PK\x03\x04 cut off")
    (tmp_path / RECIPE_FILE).write_text(tiny_recipe.model_dump_json())
    with pytest.raises(TrainingError, match=r"resume\.ckpt is damaged"):
        run_to_the_end(tiny_recipe, run, resume=True)


def test_photos_that_are_unfit_leave_a_folder_that_can_be_used_again(
    tiny_recipe: Recipe, photo_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    run = Run(tmp_path / "empty", tmp_path / "run", tmp_path / "cache")
    for _ in range(2):
        with pytest.raises(ImageError, match="holds no picture"):
            run_to_the_end(tiny_recipe, run)


def test_smoke_recipe_runs(photo_folder: Path, tmp_path: Path) -> None:
    run = Run(photo_folder, tmp_path / "run", tmp_path / "cache")
    started = time.monotonic()
    result = run_to_the_end(load_recipe(SMOKE), run)
    assert time.monotonic() - started < 120
    assert result.measurement is not None
    assert result.measurement.fab <= 8
