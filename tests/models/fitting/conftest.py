from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from gdq_models.fitting.photos import CalibrationTiles, load_tiles

TILE = 32
SIDES = ((160, 192), (133, 201), (128, 64), (160, 128))


def draw_photo(height: int, width: int, seed: int) -> np.ndarray:
    """Returns (height, width, 3): a ramp, discs, and noise that grows from left to right."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    photo = np.stack([y + x, 2 * y, 255 - x], axis=2).astype(np.float64) % 256
    for _ in range(12):
        top, left, radius = random.uniform((0, 0, 4), (height, width, 30))
        photo[(y - top) ** 2 + (x - left) ** 2 < radius**2] = random.uniform(0, 255, 3)
    noise = random.normal(size=photo.shape) * (50 * x / width)[..., None]
    clipped: np.ndarray = np.clip(photo + noise, 0, 255).astype(np.uint8)
    return clipped


@pytest.fixture(scope="session")
def photo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    (folder / "more").mkdir()
    for number, (height, width) in enumerate(SIDES):
        place = folder / "more" if number % 2 else folder
        cv2.imwrite(str(place / f"{number}.png"), draw_photo(height, width, number)[:, :, ::-1])
    return folder


@pytest.fixture(scope="session")
def tiles(photo_folder: Path) -> CalibrationTiles:
    return load_tiles(photo_folder, tile=TILE, scale=2, count=1000)
