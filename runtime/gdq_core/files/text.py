"""Text files in UTF-8, with line ends that are the same on every system."""

from __future__ import annotations

import os
from pathlib import Path

from gdq_core.files.drafts import draft_file


def save_text(path: Path, text: str) -> None:
    """Write a file that appears complete, or not at all.

    Raises:
        OutputError: it cannot be written.

    """
    with draft_file(path) as draft:
        write_text(draft, text)


def write_text(path: Path, text: str) -> None:
    """Write a text file through to the disk."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
