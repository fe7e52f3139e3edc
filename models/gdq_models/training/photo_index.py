"""Photos to train on and the index of their cache; needs no torch and decodes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from gdq_core.pictures.folders import find_pictures

DIV2K_FOLDER = "DIV2K_train_HR"
"""Where DIV2K keeps its training photos; its other folders hold reduced copies and a test set."""

CACHE = "a photo cache"

INDEX_FILE = "index.json"
LOW_FILE = "low.bin"
HIGH_FILE = "high.bin"


@dataclass(frozen=True)
class Photo:
    """Where a photo is in the two files of a cache.

    Attributes:
        name: path relative to the folder of photos.
        height: height of the low-resolution image in pixels.
        width: width of the low-resolution image in pixels.
        offset: number of low-resolution pixels before it; times scale^2 in the other file.
    """

    name: str
    height: int
    width: int
    offset: int


class Request(BaseModel):
    """What a cache is made from and for; ``files`` are names, sizes and modification times."""

    model_config = ConfigDict(frozen=True)

    format: int
    scale: int
    smallest: int
    files: tuple[tuple[str, int, int], ...]


class PhotoIndex(BaseModel):
    """The content of ``INDEX_FILE``."""

    request: Request
    photos: tuple[Photo, ...]


def find_photos(source: Path) -> list[Path]:
    """Return the photos of a folder and its sub-folders, sorted; only the training set of DIV2K.

    Raises:
        ImageError: the source is not a folder, or holds no photo.
    """
    return find_pictures(training_folder(source), deep=True)


def training_folder(source: Path) -> Path:
    """Return the folder of the photos to train on: for DIV2K, one of its sub-folders."""
    return source / DIV2K_FOLDER if (source / DIV2K_FOLDER).is_dir() else source


def read_index(folder: Path) -> PhotoIndex | None:
    """Read the index of a cache; return None if there is no valid one."""
    try:
        return PhotoIndex.model_validate_json((folder / INDEX_FILE).read_bytes())
    except (OSError, ValidationError):
        return None


def is_photo_cache(folder: Path) -> bool:
    """Tell whether a folder is a photo cache and nothing else."""
    inside = {path.name for path in folder.iterdir()}
    return inside == {INDEX_FILE, LOW_FILE, HIGH_FILE} and read_index(folder) is not None
