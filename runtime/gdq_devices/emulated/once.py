"""Builds a folder once: whole or not at all, and again when its recipe changes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

_RECIPE = ".recipe"


def is_built(folder: Path, recipe: str) -> bool:
    """Tell whether the folder is there, whole, and made by this very recipe."""
    stored = folder / _RECIPE
    return stored.is_file() and stored.read_text(encoding="utf-8") == recipe


def build_once(folder: Path, recipe: str, build: Callable[[Path], None]) -> None:
    """Build a folder unless it is built.

    Args:
        folder: where the result belongs.
        recipe: everything that determines the result; a different one rebuilds it.
        build: fills the empty folder that it is given. If it fails, that folder is left to be
            inspected, and the next attempt starts from nothing.

    """
    if is_built(folder, recipe):
        return
    partial = folder.with_name(f"{folder.name}.partial")
    for remains in (partial, folder):
        if remains.exists():
            shutil.rmtree(remains)
    partial.mkdir(parents=True)
    build(partial)
    (partial / _RECIPE).write_text(recipe, encoding="utf-8")
    partial.rename(folder)
