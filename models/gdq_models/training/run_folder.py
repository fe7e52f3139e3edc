"""The folder of a run, and the check that it may be used, made before torch is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gdq_core.files.outputs import FilledFolder, Output, check_apart, check_place
from gdq_core.files.recognition import is_checkpoint, read_json
from gdq_core.files.text import save_text
from gdq_models.state_bytes import check_state_file
from gdq_models.training.errors import TrainingError
from gdq_models.training.photo_index import CACHE, find_photos, is_photo_cache
from gdq_models.training.recipe import Recipe

RESUME_FILE = "resume.ckpt"
"""Everything that is needed to resume a run."""

RECIPE_FILE = "recipe.json"
"""The file that marks a folder as that of a run."""

METRICS_FILE = "metrics.json"
LOG_FOLDER = "log"

_LARGEST_METRICS = 16 << 20


@dataclass(frozen=True)
class Run:
    """Where a run reads and writes.

    Attributes:
        photos: folder of photos.
        folder: folder of the run.
        cache: folder of the decoded photos.
        weights: checkpoint to start from; None starts from scratch.
        recipe_file: file that the recipe was read from, if any.
    """

    photos: Path
    folder: Path
    cache: Path
    weights: Path | None = None
    recipe_file: Path | None = None


def check_run(recipe: Recipe, run: Run, *, resume: bool) -> None:
    """Make sure that all inputs exist and that nothing of the user's would be overwritten.

    A new run needs a folder that does not exist, is empty, or holds a run of the same recipe that
    stopped before it had saved anything. To resume, the folder must hold a run of the same recipe.

    Raises:
        OutputError: the folder or the cache overlaps an input or cannot be written, or the cache
            is something else.
        TrainingError: the folder holds another run, something else, or nothing to resume.
        ImageError: there are no photos.
        CheckpointError: there is no checkpoint to start from.
    """
    _check_apart(recipe, run, resume=resume)
    find_photos(run.photos)
    if run.weights is not None:
        check_state_file(run.weights)
    check_place(FilledFolder(run.folder), overwrite=False)
    check_place(_cache(run), overwrite=True)
    if resume:
        _check_resumable(recipe, run)
    else:
        _check_unused(recipe, run)


def begin_run(recipe: Recipe, run: Run) -> None:
    """Create the folder of a new run, marked as such.

    Raises:
        TrainingError: it cannot be created.
        OutputError: the recipe cannot be written.
    """
    try:
        run.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(f"{run.folder} cannot be written: {error.strerror}") from error
    # All processes of a run come here; the later ones find it already written.
    if not (run.folder / RECIPE_FILE).exists():
        save_text(run.folder / RECIPE_FILE, recipe.model_dump_json(indent=1) + "\n")


def checkpoint_file(recipe: Recipe, run: Run) -> Path:
    """Return the file to which the trained network is written."""
    return run.folder / f"{recipe.name}.safetensors"


def _cache(run: Run) -> Output:
    return Output(run.cache, CACHE, is_photo_cache, is_folder=True)


def _results(recipe: Recipe, run: Run) -> list[Output]:
    return [
        Output(checkpoint_file(recipe, run), "a checkpoint", is_checkpoint),
        Output(run.folder / METRICS_FILE, "a result", _is_metrics),
    ]


def _is_metrics(path: Path) -> bool:
    content = read_json(path, _LARGEST_METRICS)
    return isinstance(content, dict) and content.keys() >= {"recipe", "held_out"}


def _check_apart(recipe: Recipe, run: Run, *, resume: bool) -> None:
    inputs = [run.photos, *([] if run.weights is None else [run.weights])]
    # A resumed run does not change its recipe, so the recipe may be read from its folder.
    if run.recipe_file is not None and not resume:
        inputs.append(run.recipe_file)
    kept = [RECIPE_FILE, RESUME_FILE, LOG_FOLDER]
    others = [Output(run.folder / name, "of the run", lambda _: True) for name in kept]
    check_apart([FilledFolder(run.folder), _cache(run), *_results(recipe, run), *others], inputs)


def _check_resumable(recipe: Recipe, run: Run) -> None:
    if not (run.folder / RESUME_FILE).exists():
        raise TrainingError(
            f"{run.folder} holds no {RESUME_FILE} to resume from: start without --resume"
        )
    kept = run.folder / RECIPE_FILE
    if (begun := _read_recipe(kept)) is None:
        raise TrainingError(f"{kept} is missing or damaged")
    if begun != recipe:
        raise TrainingError(
            f"the recipe differs from that of the run in {run.folder} ({RECIPE_FILE})"
        )
    for result in _results(recipe, run):
        check_place(result, overwrite=True)


def _check_unused(recipe: Recipe, run: Run) -> None:
    folder = run.folder
    inside = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if (folder / RESUME_FILE).exists():
        raise TrainingError(f"{folder} already holds a run: resume it, or choose another folder")
    begun = _read_recipe(folder / RECIPE_FILE)
    if begun is not None and begun != recipe:
        raise TrainingError(f"{folder} holds a run of another recipe: choose another folder")
    ours = {LOG_FOLDER, RECIPE_FILE} if begun is not None else set()
    if run.cache.parent.resolve() == folder.resolve():  # found to be ours, or to be empty
        ours.add(run.cache.name)
    if others := sorted(inside - ours):
        raise TrainingError(
            f"{folder} holds {others[0]}, and a new run needs an empty folder: choose another one"
        )


def _read_recipe(kept: Path) -> Recipe | None:
    try:
        return Recipe.model_validate_json(kept.read_bytes())
    except (OSError, ValueError):
        return None
