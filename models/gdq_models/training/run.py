"""A training run: a recipe, photos, and a folder in which all results are kept."""

from __future__ import annotations

import contextlib
import json
import sys
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import lightning
import torch
from lightning.pytorch.callbacks import TQDMProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor

from gdq_core.files.text import save_text
from gdq_models.checkpoint import round_weights, save_checkpoint
from gdq_models.training.data import TrainingPhotos
from gdq_models.training.errors import TrainingError, TrainingInterrupted
from gdq_models.training.gate_shift import meet_target_fab
from gdq_models.training.measure import Measurement, measure
from gdq_models.training.module import GranularTraining
from gdq_models.training.photos import Progress
from gdq_models.training.recipe import FinishStage, GateStage, Recipe
from gdq_models.training.resume_file import ResumeFile
from gdq_models.training.run_folder import (
    LOG_FOLDER,
    METRICS_FILE,
    RESUME_FILE,
    Run,
    begin_run,
    check_run,
    checkpoint_file,
)
from gdq_models.training.start import build_network
from gdq_models.training.tiles import cut_tiles

_MEASURED_AT_ONCE = 4
_MEASURED_TILES = 64
"""Enough to resolve 0.01 dB between bit-widths; two minutes for 16 blocks of 64 channels."""


@dataclass(frozen=True)
class Machine:
    """What training runs on; passed to Lightning unchanged.

    Attributes:
        accelerator: kind of device, e.g. ``cpu``, ``gpu``, ``auto``.
        devices: number of devices, or ``auto``.
        nodes: number of machines.
        strategy: how processes work together, e.g. ``ddp_find_unused_parameters_true``.
    """

    accelerator: str = "auto"
    devices: str = "auto"
    nodes: int = 1
    strategy: str = "auto"


@dataclass(frozen=True)
class TrainingResult:
    """What a finished run has produced.

    Attributes:
        checkpoint: file for ``gdq-export``.
        metrics: JSON file with ``measurement``.
        measurement: results on held-out photos; None if no photo was held out.
    """

    checkpoint: Path
    metrics: Path
    measurement: Measurement | None


def train(
    recipe: Recipe, run: Run, machine: Machine, *, resume: bool, progress: Progress
) -> TrainingResult | None:
    """Train through all stages of a recipe, and measure the result.

    Returns:
        the result in the first process, None in all others.

    Raises:
        TrainingError: the folder holds something else, or no run to resume; or the photos are
            unsuitable.
        OutputError: the folder or the cache overlaps an input, or cannot be written.
        CheckpointError: the weights to start from cannot be used.
        TrainingInterrupted: a signal asked it to stop; the run can be resumed.
    """
    check_run(recipe, run, resume=resume)
    if resume:
        _check_resume_file(run.folder / RESUME_FILE)
    begin_run(recipe, run)
    module = GranularTraining(build_network(recipe.network, run.weights, recipe.seed), recipe)
    photos = TrainingPhotos(run.photos, run.cache, recipe, progress)
    trainer = _build_trainer(recipe, run.folder, machine)
    with _quiet_lightning():
        resume_file = run.folder / RESUME_FILE if resume else None
        try:
            trainer.fit(module, datamodule=photos, ckpt_path=resume_file, weights_only=True)
        except OSError as error:
            raise TrainingError(f"{run.folder} cannot be written: {error.strerror}") from error
        except SystemExit as error:  # which Lightning raises for a KeyboardInterrupt
            raise KeyboardInterrupt from error
    if module.global_step < recipe.steps:
        raise TrainingInterrupted(f"stopped after {module.global_step} of {recipe.steps} steps")
    return _finish(recipe, run, module, photos) if trainer.is_global_zero else None


def _check_resume_file(path: Path) -> None:
    """Refuse a file on which Lightning would fail."""
    try:
        torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    # A damaged archive can raise anything in the unpickler.
    except Exception as error:
        raise TrainingError(f"{path} is damaged, or was not written by gdq-train") from error


@contextlib.contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Suppress Lightning's warnings about what is intended here, or internal to Lightning.

    Its progress bar goes to standard error, since standard output is for results.
    """
    with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
        for message in (
            r"Found \d+ module\(s\) in eval mode",  # the teacher
            r"`isinstance\(treespec, LeafSpec\)` is deprecated",
        ):
            warnings.filterwarnings("ignore", message)
        yield


def _build_trainer(recipe: Recipe, folder: Path, machine: Machine) -> lightning.Trainer:
    return lightning.Trainer(
        accelerator=machine.accelerator,
        devices=machine.devices,
        num_nodes=machine.nodes,
        strategy=machine.strategy,
        precision=recipe.precision,
        max_steps=recipe.steps,
        max_epochs=-1,
        logger=TensorBoardLogger(folder, name="", version=LOG_FOLDER),
        callbacks=[
            ResumeFile(folder / RESUME_FILE, recipe.checkpoint_every),
            TQDMProgressBar(refresh_rate=10),
        ],
        enable_checkpointing=False,
        log_every_n_steps=10,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )


def _finish(
    recipe: Recipe, run: Run, module: GranularTraining, photos: TrainingPhotos
) -> TrainingResult:
    """Round the weights, fit the gate to its budget, measure, and save."""
    network = module.network.eval()
    round_weights(network)
    budgets = [s.target_fab for s in recipe.stages if isinstance(s, GateStage | FinishStage)]
    if budgets:
        tiles = (cut_tiles(photos.cache.low(photo), recipe.tile) for photo in photos.training)
        meet_target_fab(network, tiles, budgets[-1])
    measurement = None
    if recipe.held_out:
        measurement = measure(network, module.teacher, _held_out_pairs(recipe, photos))
    checkpoint, metrics = checkpoint_file(recipe, run), run.folder / METRICS_FILE
    save_checkpoint(network, checkpoint, overwrite=True)
    save_text(metrics, _as_json(recipe, measurement))
    return TrainingResult(checkpoint, metrics, measurement)


def _held_out_pairs(recipe: Recipe, photos: TrainingPhotos) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield tiles and their ground truth, spread evenly over the held-out photos."""
    cache = photos.cache
    of_each = max(1, _MEASURED_TILES // len(photos.held_out))
    for photo in photos.held_out:
        low = cut_tiles(cache.low(photo), recipe.tile)
        high = cut_tiles(cache.high(photo), recipe.tile * cache.scale)
        chosen = torch.linspace(0, len(low) - 1, min(of_each, len(low))).round().long()
        for start in range(0, len(chosen), _MEASURED_AT_ONCE):
            some = chosen[start : start + _MEASURED_AT_ONCE]
            yield low[some], high[some]


def _as_json(recipe: Recipe, measurement: Measurement | None) -> str:
    document = {
        "recipe": recipe.model_dump(mode="json"),
        "held_out": None if measurement is None else asdict(measurement),
    }
    return json.dumps(document, indent=1) + "\n"
