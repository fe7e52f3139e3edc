"""Which files of a folder are pictures."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gdq_core.errors import ImageError

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
"""File names that are taken for pictures when a folder is read."""


def list_pictures(folder: Path, *, deep: bool = False) -> list[Path]:
    """List the pictures of a folder by name, sorted.

    Hidden files are passed over: they are the system's (macOS writes ``._photo.png`` beside
    photo.png) or drafts. So is what is no file, such as a link to nothing.

    Args:
        folder: exists.
        deep: also look into its sub-folders, except hidden ones.

    """
    found = _entries(folder, deep)
    return sorted(path for path in found if _is_picture(path.relative_to(folder), path))


def find_pictures(folder: Path, *, deep: bool = False) -> list[Path]:
    """List the pictures of a folder that somebody named, of which there must be some.

    Args:
        folder: may be anything.
        deep: also look into its sub-folders, except hidden ones.

    Raises:
        ImageError: it is not a folder, cannot be read, or holds no picture.

    """
    try:
        if not folder.is_dir():
            raise ImageError(f"{folder} is not a folder of pictures")
        found = list_pictures(folder, deep=deep)
    except OSError as error:
        raise ImageError(f"{folder} cannot be read: {error.strerror}") from error
    if not found:
        raise ImageError(f"{folder} holds no picture ({', '.join(SUFFIXES)})")
    return found


def list_passed_over(folder: Path, *, deep: bool = False) -> list[Path]:
    """List what is called like a picture and is passed over by ``list_pictures``, sorted."""
    pictures = set(list_pictures(folder, deep=deep))
    named = (path for path in _entries(folder, deep) if path.suffix.lower() in SUFFIXES)
    return sorted(path for path in named if path not in pictures)


def _entries(folder: Path, deep: bool) -> Iterable[Path]:
    return folder.rglob("*") if deep else folder.iterdir()


def _is_picture(name: Path, path: Path) -> bool:
    is_hidden = any(part.startswith(".") for part in name.parts)
    return not is_hidden and path.suffix.lower() in SUFFIXES and path.is_file()
