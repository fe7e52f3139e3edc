from __future__ import annotations

from itertools import islice

import numpy as np
import torch

from gdq_core.bit_widths import BIT_WIDTHS
from gdq_core.resampling import make_smaller
from gdq_models.training.patches import Batch, PatchBatches, Share
from gdq_models.training.photos import PhotoCache
from gdq_models.training.recipe import Recipe

WHOLE = Share()


def batches(cache: PhotoCache, recipe: Recipe, first: int = 0, share: Share = WHOLE) -> list[Batch]:
    return list(PatchBatches(cache, cache.photos, recipe, first_step=first, share=share))


def equal(one: Batch, other: Batch) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_has_a_batch_for_every_step_of_the_stage_it_belongs_to(
    cache: PhotoCache, tiny_recipe: Recipe
) -> None:
    shapes = [(tuple(b.low.shape), tuple(b.high.shape)) for b in batches(cache, tiny_recipe)]
    expected = []
    for stage in tiny_recipe.stages:
        count, side = stage.batch, stage.patch
        expected += [((count, 3, side, side), (count, 3, 2 * side, 2 * side))] * stage.steps
    assert shapes == expected


def test_depends_on_the_step_alone(cache: PhotoCache, tiny_recipe: Recipe) -> None:
    whole, rest = batches(cache, tiny_recipe), batches(cache, tiny_recipe, first=5)
    assert all(equal(a, b) for a, b in zip(whole[5:], rest, strict=True))
    assert not equal(whole[0], whole[1])


def test_processes_share_one_batch(cache: PhotoCache, tiny_recipe: Recipe) -> None:
    whole = batches(cache, tiny_recipe)[4]
    parts = [batches(cache, tiny_recipe, 4, Share(rank, 2))[0] for rank in range(2)]
    for ours, first, second in zip(whole, *parts, strict=True):
        assert torch.equal(ours[0::2], first)
        assert torch.equal(ours[1::2], second)


def test_low_and_high_show_the_same(cache: PhotoCache, tiny_recipe: Recipe) -> None:
    """Reducing a high patch gives the low one, but for the border, whose outside it lacks."""
    for batch in islice(PatchBatches(cache, cache.photos, tiny_recipe), 8):
        for low, high in zip(batch.low.numpy(), batch.high.numpy(), strict=True):
            reduced = make_smaller(np.ascontiguousarray(high.transpose(1, 2, 0)), 2)
            inner = reduced.transpose(2, 0, 1)[:, 2:-2, 2:-2].astype(int)
            # A transposed patch was reduced with columns and rows exchanged: other roundings.
            assert np.abs(inner - low[:, 2:-2, 2:-2]).max() <= 2


def test_draws_widths_by_their_shares(cache: PhotoCache, tiny_recipe: Recipe) -> None:
    stage = tiny_recipe.stages[1].model_copy(update={"steps": 300, "patch": 8, "candidates": 1})
    recipe = tiny_recipe.model_copy(update={"stages": (stage,)})
    drawn = torch.cat([batch.bit_width for batch in batches(cache, recipe)])
    measured = [(drawn == width).float().mean().item() for width in BIT_WIDTHS]
    np.testing.assert_allclose(measured, [0.4, 0.3, 0.2, 0.1], atol=0.05)


def test_takes_the_liveliest_candidate(cache: PhotoCache, tiny_recipe: Recipe) -> None:
    def mean_deviation(candidates: int) -> float:
        stage = tiny_recipe.stages[0].model_copy(
            update={"steps": 40, "batch": 4, "candidates": candidates}
        )
        recipe = tiny_recipe.model_copy(update={"stages": (stage,)})
        deviations = [batch.low.float().std().item() for batch in batches(cache, recipe)]
        return float(np.mean(deviations))

    assert mean_deviation(6) > mean_deviation(1)
