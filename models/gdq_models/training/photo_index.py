"""Photos to train on, and the index of their cache; without torch and without decoding any."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from gdq_core.pictures.folders import find_pictures

DIV2K_FOLDER = "DIV2K_train_HR"
"""Where DIV2K keeps its training photos; its other folders are their reductions and a test set."""

CACHE = "a photo cache"

INDEX_FILE = "index.json"
LOW_FILE = "low.bin"
HIGH_FILE = "high.bin"


@dataclass(frozen=True)
class Photo:
    """Where a photo lies in the two files.

    Attributes:
        name: path inside the folder of photos.
        height: of the low-resolution image, and likewise ``width``.
        offset: low-resolution pixels before it; times scale^2 in the other file.
    """

    name: str
    height: int
    width: int
    offset: int


class Request(BaseModel):
    """What a cache must have been made from and for; ``files`` are name, size and time."""

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
    """Return the photos of a folder and its sub-folders, sorted; of DIV2K only those to train on.

    Raises:
        ImageError: it is not a folder, or holds no photo.
    """
    return find_pictures(training_folder(source), deep=True)


def training_folder(source: Path) -> Path:
    """Return where the photos to train on are: of DIV2K, one of its folders."""
    return source / DIV2K_FOLDER if (source / DIV2K_FOLDER).is_dir() else source


def read_index(folder: Path) -> PhotoIndex | None:
    """Read the index of a cache; None if there is none that can be read."""
    try:
        return PhotoIndex.model_validate_json((folder / INDEX_FILE).read_bytes())
    except (OSError, ValidationError):
        return None


def is_photo_cache(folder: Path) -> bool:
    """Tell whether a folder is a photo cache and nothing else."""
    inside = {path.name for path in folder.iterdir()}
    return inside == {INDEX_FILE, LOW_FILE, HIGH_FILE} and read_index(folder) is not None
