from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gdq_models.training.errors import TrainingError
from gdq_models.training.recipe import Recipe, load_recipe

RECIPES = Path(__file__).resolve().parents[3] / "models" / "recipes"


def document() -> dict[str, Any]:
    widths = {"kind": "widths", "steps": 4, "rates": {"weights": 1e-4, "steps": 1e-3}}
    return {
        "name": "x",
        "network": {"name": "edsr", "scale": 2},
        "stages": [
            widths,
            {"kind": "gate", "steps": 2, "target_fab": 4.6, "rates": {"gate": 1e-3}},
        ],
    }


def write(folder: Path, content: Any) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def test_reads_a_recipe(tmp_path: Path) -> None:
    recipe = load_recipe(write(tmp_path, document()))
    assert [stage.kind for stage in recipe.stages] == ["widths", "gate"]
    assert recipe.steps == 6


def test_survives_its_own_json(tiny_recipe: Recipe) -> None:
    assert Recipe.model_validate_json(tiny_recipe.model_dump_json()) == tiny_recipe


@pytest.mark.parametrize(
    ("place", "value", "sentence"),
    [
        (("surplus",), 1, "surplus: Extra inputs"),
        (("network", "scale"), 5, "network.scale"),
        (("name",), "../elsewhere", "name"),
        (("stages",), [], "stages"),
        (("stages", 0, "kind"), "guess", "stages.0"),
        (("stages", 0, "steps"), 0, "stages.0.widths.steps"),
        (("stages", 0, "warmup"), 4, "must be shorter than steps"),
        (("stages", 0, "patch"), 50, "stages.0.widths.patch"),
        (("stages", 0, "shares"), {4: 1.0}, "shares must name"),
        (("stages", 0, "rates"), {"weights": -1}, "rates.weights"),
        (("stages", 1, "target_fab"), 3.9, "stages.1.gate.target_fab"),
    ],
)
def test_names_what_is_wrong(
    tmp_path: Path, place: tuple[str | int, ...], value: Any, sentence: str
) -> None:
    content: Any = document()
    inner = content
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    with pytest.raises(TrainingError, match=rf"recipe\.yaml: .*{sentence}"):
        load_recipe(write(tmp_path, content))


def test_refuses_stages_out_of_order(tmp_path: Path) -> None:
    content = document()
    content["stages"].reverse()
    with pytest.raises(TrainingError, match="in the order float, widths, gate, finish"):
        load_recipe(write(tmp_path, content))


@pytest.mark.parametrize("content", [b"", b"a: [", b"\xff\xfe", b"- 1", b"a: " + b"[" * 3000])
def test_refuses_what_is_no_recipe(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_bytes(content)
    with pytest.raises(TrainingError, match=r"recipe\.yaml"):
        load_recipe(path)


def test_refuses_an_absent_file(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="cannot be read"):
        load_recipe(tmp_path / "absent.yaml")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=80))
def test_any_bytes_are_a_recipe_or_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_bytes(content)
    with pytest.raises(TrainingError) as refused:
        load_recipe(path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_recipe_of_the_project_is_valid(path: Path) -> None:
    assert load_recipe(path).name == path.stem
