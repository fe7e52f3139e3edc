"""The stage and the learning rates of an optimizer step, as functions of the step alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gdq_models.training.recipe import AnyStage, Recipe


@dataclass(frozen=True)
class Moment:
    """An optimizer step within its stage.

    Attributes:
        stage: the stage.
        step: number of the step, counted from 0 at the start of the stage.
    """

    stage: AnyStage
    step: int

    @property
    def starts_stage(self) -> bool:
        """Whether it is the first step of the stage."""
        return self.step == 0

    @property
    def rate_factor(self) -> float:
        """Factor of the stage's learning rates: linear warm-up, then half a cosine."""
        stage = self.stage
        if self.step < stage.warmup:
            return (self.step + 1) / (stage.warmup + 1)
        progress = (self.step - stage.warmup) / (stage.steps - stage.warmup)
        return 0.5 * (1 + math.cos(math.pi * progress))


def moment(recipe: Recipe, step: int) -> Moment:
    """Locate a step, counted over all stages; any step beyond the last is the end of the last."""
    start = 0
    for stage in recipe.stages:
        if step < start + stage.steps:
            return Moment(stage, step - start)
        start += stage.steps
    return Moment(recipe.stages[-1], recipe.stages[-1].steps)
