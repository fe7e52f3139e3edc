from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdq_models import tile_entropy
from gdq_models.training.data import TrainingPhotos, set_aside
from gdq_models.training.errors import TrainingError
from gdq_models.training.photo_index import Photo
from gdq_models.training.recipe import Recipe
from gdq_models.training.tiles import cut_tiles


@given(count=st.integers(1, 40), data=st.data())
def test_sets_photos_aside_evenly(count: int, data: st.DataObject) -> None:
    photos = [Photo(str(number), 1, 1, number) for number in range(count)]
    wanted = data.draw(st.integers(0, count - 1))
    aside, rest = set_aside(photos, wanted)
    assert len(aside) == wanted
    assert sorted([*aside, *rest], key=lambda photo: photo.offset) == photos
    gaps = np.diff([photo.offset for photo in aside])
    assert wanted < 2 or gaps.max() - gaps.min() <= 1


def test_refuses_to_set_all_photos_aside() -> None:
    with pytest.raises(TrainingError, match="1 photos are too few"):
        set_aside([Photo("0", 1, 1, 0)], 1)


def test_entropy_table_is_of_all_tiles_to_train_on(
    photo_folder: Path, tmp_path: Path, tiny_recipe: Recipe
) -> None:
    photos = TrainingPhotos(photo_folder, tmp_path / "cache", tiny_recipe, lambda *_: None)
    photos.prepare_data()
    photos.setup("fit")
    assert len(photos.training) == 2
    table = photos.entropy_table()
    tiles = [cut_tiles(photos.cache.low(photo), tiny_recipe.tile) for photo in photos.training]
    entropies = np.sort([value for some in tiles for value in tile_entropy(some).tolist()])
    assert (table.count, table.tile, table.scale) == (len(entropies), tiny_recipe.tile, 2)
    assert set(table.entropies) <= set(entropies)
