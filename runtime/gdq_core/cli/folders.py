"""What commands say of the folders that they read."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from gdq_core.cli.errors import say
from gdq_core.pictures.folders import list_passed_over

_NAMED = 3
"""Files that a note names; of more, their number."""


def say_passed_over(folder: Path, *, deep: bool = False) -> None:
    """Say which files of a folder are called like pictures and are none that are read.

    Args:
        folder: may be anything; what is no folder has nothing to say.
        deep: also of its sub-folders.

    """
    files: list[Path] = []
    with suppress(OSError):  # whoever reads it will complain
        files = list_passed_over(folder, deep=deep) if folder.is_dir() else []
    if files:
        names = ", ".join(str(path.relative_to(folder)) for path in files[:_NAMED])
        more = f" and {len(files) - _NAMED} more" if len(files) > _NAMED else ""
        say(f"note: {folder}: passed over, hidden or not a regular file: {names}{more}")
