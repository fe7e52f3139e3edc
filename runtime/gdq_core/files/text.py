"""Text files that a command leaves: whole, or not there at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from gdq_core.errors import OutputError


def check_text_target(path: Path, *, overwrite: bool) -> None:
    """Find out before the work, not after, that its result has no place.

    Raises:
        OutputError: the file exists and is not to be replaced, or has no folder that can be
            written to.

    """
    try:
        taken = path.exists() and not (overwrite and path.is_file())
    except OSError as error:  # a name that is too long
        raise OutputError(f"{path} cannot be written: {error.strerror}") from error
    if taken:
        raise OutputError(f"{path} exists; --overwrite replaces a file")
    folder = path.absolute().parent
    if not folder.is_dir():
        raise OutputError(f"{path} cannot be written: there is no folder {path.parent}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"{path} cannot be written: no permission to write to {path.parent}")


def save_text(path: Path, text: str) -> None:
    """Write a file that appears complete, or not at all.

    Raises:
        OutputError: it cannot be written.

    """
    # Short, because the target's own name may be as long as the file system allows.
    draft = path.with_name(f".gdq-{secrets.token_hex(6)}.part")
    try:
        write_text(draft, text)
        draft.replace(path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file through to the disk."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
