"""Lightning's source of data: a cache built once per machine, and batches from any step on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import lightning
from torch.utils.data import DataLoader

from gdq_models.predictor.e2b import EntropyTable
from gdq_models.predictor.entropy import tile_entropy
from gdq_models.training.errors import TrainingError
from gdq_models.training.patches import Batch, PatchBatches, Share
from gdq_models.training.photo_index import Photo
from gdq_models.training.photos import PhotoCache, Progress, open_cache
from gdq_models.training.recipe import Recipe
from gdq_models.training.tiles import cut_tiles


class TrainingPhotos(lightning.LightningDataModule):
    """The photos of a training run; its attributes exist after ``setup``.

    Attributes:
        cache: all photos.
        training: photos to train on.
        held_out: photos to measure on.
    """

    cache: PhotoCache
    training: tuple[Photo, ...]
    held_out: tuple[Photo, ...]

    def __init__(self, source: Path, folder: Path, recipe: Recipe, progress: Progress) -> None:
        super().__init__()
        self._source = source
        self._folder = folder
        self._recipe = recipe
        self._progress = progress

    def prepare_data(self) -> None:
        """Build the cache; Lightning calls this in one process of each machine."""
        self._open()

    def setup(self, stage: str) -> None:
        """Open the cache."""
        self.cache = self._open()
        self.held_out, self.training = set_aside(self.cache.photos, self._recipe.held_out)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Return this process's share of the batches, starting with the trainer's next step."""
        trainer = self.trainer
        assert trainer is not None
        share = Share(trainer.global_rank, trainer.world_size)
        batches = PatchBatches(
            self.cache, self.training, self._recipe, first_step=trainer.global_step, share=share
        )
        return DataLoader(batches, batch_size=None)

    def entropy_table(self) -> EntropyTable:
        """Return the entropy table of the photos to train on, cut into adjacent tiles."""
        tile = self._recipe.tile
        entropies = [
            value
            for photo in self.training
            for value in tile_entropy(cut_tiles(self.cache.low(photo), tile)).tolist()
        ]
        return EntropyTable.build(entropies, tile=tile, scale=self.cache.scale)

    def _open(self) -> PhotoCache:
        smallest = max(self._recipe.tile, *(stage.patch for stage in self._recipe.stages))
        return open_cache(
            self._source,
            self._folder,
            scale=self._recipe.network.scale,
            smallest=smallest,
            progress=self._progress,
        )


def set_aside(photos: Sequence[Photo], count: int) -> tuple[tuple[Photo, ...], tuple[Photo, ...]]:
    """Return ``count`` photos, spread evenly over the sorted names, and all the others.

    Raises:
        TrainingError: nothing would be left to train on.
    """
    if count >= len(photos):
        raise TrainingError(f"{len(photos)} photos are too few to hold out {count} of them")
    chosen = {len(photos) * (2 * number + 1) // (2 * count) for number in range(count)}
    numbered = list(enumerate(photos))
    return (
        tuple(photo for number, photo in numbered if number in chosen),
        tuple(photo for number, photo in numbered if number not in chosen),
    )
