from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from gdq_models.training.photos import PhotoCache, open_cache
from gdq_models.training.recipe import Recipe

SIDES = ((96, 130), (128, 97), (100, 100))
"""Height and width of the test photos; two have odd sides."""

STAGES = (
    {"kind": "float", "steps": 3, "batch": 2, "patch": 16, "rates": {"weights": 1e-3}},
    {
        "kind": "widths",
        "steps": 4,
        "batch": 4,
        "patch": 16,
        "candidates": 2,
        "warmup": 1,
        "gradient_clip": 100,
        "shares": {4: 0.4, 5: 0.3, 6: 0.2, 8: 0.1},
        "rates": {"weights": 1e-4, "steps": 1e-2},
    },
    {
        "kind": "gate",
        "steps": 4,
        "batch": 4,
        "patch": 32,
        "target_fab": 5,
        "rates": {"gate": 1e-2},
    },
    {
        "kind": "finish",
        "steps": 3,
        "batch": 4,
        "patch": 32,
        "target_fab": 5,
        "rates": {"weights": 1e-4, "steps": 1e-3, "gate": 1e-3},
    },
)


def draw_photo(height: int, width: int, seed: int) -> np.ndarray:
    """Returns (height, width, 3): ramps, an edge and noise that grows from left to right."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    noise = random.normal(size=(height, width, 3)) * (40 * x / width)[..., None]
    ramp = np.stack([y + x, 2 * y, 255 - x], axis=2)
    photo = ramp + 60 * (x > y)[..., None] + noise
    clipped: np.ndarray = np.clip(photo, 0, 255).astype(np.uint8)
    return clipped


@pytest.fixture(scope="session")
def photo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for number, (height, width) in enumerate(SIDES):
        photo = draw_photo(height, width, number)
        cv2.imwrite(str(folder / f"{number}.png"), photo[:, :, ::-1])
    return folder


@pytest.fixture(scope="session")
def cache(photo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> PhotoCache:
    folder = tmp_path_factory.mktemp("cache") / "photos"
    return open_cache(photo_folder, folder, scale=2, smallest=32, progress=lambda *_: None)


@pytest.fixture(scope="session")
def tiny_recipe() -> Recipe:
    return Recipe.model_validate(
        {
            "name": "tiny",
            "network": {"name": "edsr", "scale": 2, "channels": 8, "blocks": 1},
            "tile": 32,
            "held_out": 1,
            "checkpoint_every": 1,
            "stages": STAGES,
        }
    )
