"""Batches of patches, each a function of the seed and the optimizer step alone.

So an interrupted training resumes with the batch that would have come next, and several processes
share one batch without communicating.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset

from gdq_core.bit_widths import BIT_WIDTHS
from gdq_models.training.photo_index import Photo
from gdq_models.training.photos import PhotoCache
from gdq_models.training.recipe import Recipe, Stage
from gdq_models.training.timeline import moment

Image = NDArray[np.uint8]


class Batch(NamedTuple):
    """The patches of one step.

    Attributes:
        low: (N, 3, P, P) uint8, the network's input.
        high: (N, 3, P * scale, P * scale) uint8, the ground truth.
        bit_width: (N,) int64, drawn at random for the stages that use it.
    """

    low: Tensor
    high: Tensor
    bit_width: Tensor


@dataclass(frozen=True)
class Share:
    """The part of every batch that falls to one process.

    Attributes:
        rank: number of the process, from 0.
        processes: number of all processes.
    """

    rank: int = 0
    processes: int = 1


class PatchBatches(IterableDataset[Batch]):
    """The batches of a training run, from a given step on."""

    def __init__(
        self,
        cache: PhotoCache,
        photos: Sequence[Photo],
        recipe: Recipe,
        first_step: int = 0,
        share: Share = Share(),
    ) -> None:
        self._cache = cache
        self._photos = tuple(photos)
        self._recipe = recipe
        self._first_step = first_step
        self._share = share

    def __iter__(self) -> Iterator[Batch]:
        for step in range(self._first_step, self._recipe.steps):
            yield self.batch(step)

    def batch(self, step: int) -> Batch:
        """Return this process's part of the batch of a step."""
        stage = moment(self._recipe, step).stage
        random = np.random.default_rng([self._recipe.seed, step])
        patches = [self._patch(stage, random) for _ in range(stage.batch)]
        widths = _draw_widths(stage, random)
        mine = slice(self._share.rank, None, self._share.processes)
        low, high = (_stack(images[mine]) for images in zip(*patches, strict=True))
        return Batch(low, high, torch.from_numpy(widths[mine]))

    def _patch(self, stage: Stage, random: np.random.Generator) -> tuple[Image, Image]:
        crops = [self._crop(stage.patch, random) for _ in range(stage.candidates)]
        low, high = max(crops, key=lambda crop: crop[0].std()) if len(crops) > 1 else crops[0]
        flips = random.integers(0, 2, size=3)
        return _flip(low, flips), _flip(high, flips)

    def _crop(self, side: int, random: np.random.Generator) -> tuple[Image, Image]:
        photo = self._photos[random.integers(len(self._photos))]
        y = random.integers(photo.height - side + 1)
        x = random.integers(photo.width - side + 1)
        scale = self._cache.scale
        high = self._cache.high(photo)[
            y * scale : (y + side) * scale, x * scale : (x + side) * scale
        ]
        return self._cache.low(photo)[y : y + side, x : x + side], high


def _draw_widths(stage: Stage, random: np.random.Generator) -> NDArray[np.int64]:
    shares = getattr(stage, "shares", None) or dict.fromkeys(BIT_WIDTHS, 1.0)
    weights = np.array([shares[width] for width in BIT_WIDTHS])
    drawn = random.choice(BIT_WIDTHS, size=stage.batch, p=weights / weights.sum())
    return drawn.astype(np.int64)


def _flip(image: Image, flips: NDArray[np.int64]) -> Image:
    vertical, horizontal, transposed = (bool(flip) for flip in flips)
    image = image[:: -1 if vertical else 1, :: -1 if horizontal else 1]
    return image.transpose(1, 0, 2) if transposed else image


def _stack(images: Sequence[Image]) -> Tensor:
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
