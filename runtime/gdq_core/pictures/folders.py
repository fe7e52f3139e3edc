"""Which files of a folder are pictures."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

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
    found: Iterable[Path] = folder.rglob("*") if deep else folder.iterdir()
    return sorted(path for path in found if _is_picture(path.relative_to(folder), path))


def _is_picture(name: Path, path: Path) -> bool:
    is_hidden = any(part.startswith(".") for part in name.parts)
    return not is_hidden and path.suffix.lower() in SUFFIXES and path.is_file()
