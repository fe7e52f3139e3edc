from __future__ import annotations

import math

from gdq_models.training.recipe import Recipe
from gdq_models.training.timeline import moment


def test_every_step_belongs_to_the_stage_in_which_it_lies(tiny_recipe: Recipe) -> None:
    moments = [moment(tiny_recipe, step) for step in range(tiny_recipe.steps)]
    expected = [stage.kind for stage in tiny_recipe.stages for _ in range(stage.steps)]
    assert [now.stage.kind for now in moments] == expected
    assert [now.step for now in moments] == [
        step for stage in tiny_recipe.stages for step in range(stage.steps)
    ]
    assert sum(now.starts_stage for now in moments) == len(tiny_recipe.stages)


def test_behind_the_end_all_rates_are_zero(tiny_recipe: Recipe) -> None:
    end = moment(tiny_recipe, tiny_recipe.steps)
    assert end.stage is tiny_recipe.stages[-1]
    assert end.rate_factor < 1e-12


def test_rates_rise_and_then_fall_by_half_a_cosine(tiny_recipe: Recipe) -> None:
    stage = tiny_recipe.stages[0].model_copy(update={"steps": 10, "warmup": 2})
    recipe = tiny_recipe.model_copy(update={"stages": (stage,)})
    factors = [moment(recipe, step).rate_factor for step in range(10)]
    assert factors[:3] == [1 / 3, 2 / 3, 1]
    falling = [(1 + math.cos(math.pi * step / 8)) / 2 for step in range(8)]
    assert all(math.isclose(a, b) for a, b in zip(factors[2:], falling, strict=True))
