from __future__ import annotations

from pathlib import Path

import pytest
import safetensors.torch
import torch

from fingerprint import fingerprint
from gdq_core.errors import GdqError
from gdq_models.training.photos import open_cache
from gdq_models.training.recipe import Recipe
from gdq_models.training.run_folder import Run, begin_run, check_run


@pytest.fixture
def here(tmp_path: Path, photo_folder: Path, tiny_recipe: Recipe) -> Path:
    """A user's project: photos with notes, a recipe, weights, a former run, other things."""
    project = tmp_path / "project"
    (project / "photos").mkdir(parents=True)
    for photo in photo_folder.iterdir():
        (project / "photos" / photo.name).write_bytes(photo.read_bytes())
    (project / "photos" / "notes.txt").write_text("captions I wrote by hand")
    (project / "recipe.yaml").write_text(tiny_recipe.model_dump_json())
    (project / "run").mkdir()
    (project / "run" / "recipe.json").write_text(tiny_recipe.model_dump_json())
    (project / "run" / "metrics.json").write_text("{}")
    (project / "run" / "resume.ckpt").touch()
    (project / "other").mkdir()
    (project / "other" / "recipe.json").write_text('{"dish": "a cake"}')
    (project / "other" / "metrics.json").write_text("{}")
    for folder in (project, project / "run"):
        (folder / "x.safetensors").write_bytes(safetensors.torch.save({"a": torch.zeros(1)}))
    (project / "linked").symlink_to(project / "photos")
    (project / "empty").mkdir()
    return project


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize(
    ("folder", "cache", "weights"),
    [
        (".", None, None),
        ("photos", None, None),
        ("photos/run", None, None),
        ("linked", None, None),
        ("linked/run", None, None),
        ("..", None, None),
        ("new", "photos", None),
        ("new", "linked", None),
        ("new", ".", None),
        ("new", "..", None),
        ("new", "photos/cache", None),
        ("new", "new", None),
        ("new/deep", "new", None),
        ("new", "new/log", None),
        ("new", "new/recipe.json", None),
        ("new", "new/tiny.safetensors", None),
        ("new", "other", None),
        ("new", "run", None),
        ("new", "recipe.yaml", None),
        ("run", None, "run/x.safetensors"),
        ("new", "x.safetensors", "x.safetensors"),
        ("other", None, None),
        ("recipe.yaml", None, None),
        ("new", None, "absent.safetensors"),
        ("new", None, "recipe.yaml"),
    ],
)
def test_nothing_of_the_users_is_touched(
    here: Path,
    tiny_recipe: Recipe,
    folder: str,
    cache: str | None,
    weights: str | None,
    resume: bool,
) -> None:
    before = fingerprint(here)
    run = Run(
        here / "photos",
        here / folder,
        here / folder / "photos" if cache is None else here / cache,
        None if weights is None else here / weights,
        here / "recipe.yaml",
    )
    with pytest.raises(GdqError):
        check_run(tiny_recipe, run, resume=resume)
    assert fingerprint(here) == before


def test_a_run_takes_an_empty_folder_or_goes_on(here: Path, tiny_recipe: Recipe) -> None:
    for name, resume in {"new": False, "empty": False, "run": True}.items():
        (here / "run" / "metrics.json").unlink(missing_ok=True)
        run = Run(here / "photos", here / name, here / name / "photos")
        check_run(tiny_recipe, run, resume=resume)


def test_a_run_that_saved_nothing_can_be_begun_again_but_only_as_it_was(
    here: Path, tiny_recipe: Recipe
) -> None:
    run = Run(here / "photos", here / "empty", here / "empty" / "cache")
    open_cache(run.photos, run.cache, scale=2, smallest=16, progress=lambda *_: None)
    check_run(tiny_recipe, run, resume=False)
    begin_run(tiny_recipe, run)
    check_run(tiny_recipe, run, resume=False)
    before = fingerprint(here)
    begin_run(tiny_recipe, run)
    with pytest.raises(GdqError, match="holds a run of another recipe"):
        check_run(tiny_recipe.model_copy(update={"seed": 2}), run, resume=False)
    (run.folder / "metrics.json").write_text("{}")
    with pytest.raises(GdqError, match=r"holds metrics\.json"):
        check_run(tiny_recipe, run, resume=False)
    (run.folder / "metrics.json").unlink()
    assert fingerprint(here) == before


def test_results_of_a_run_that_goes_on_must_be_ours(here: Path, tiny_recipe: Recipe) -> None:
    run = Run(here / "photos", here / "run", here / "cache")
    with pytest.raises(GdqError, match=r"metrics\.json is not a result of ours and is kept"):
        check_run(tiny_recipe, run, resume=True)
    (here / "run" / "metrics.json").write_text('{"recipe": {}, "held_out": null}')
    check_run(tiny_recipe, run, resume=True)
