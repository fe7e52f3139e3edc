"""Files and folders that appear complete under their name, or not at all.

Each is written under another name in the same folder, made safe on the disk, and then renamed. An
error or a signal that becomes an exception removes the draft; only a power failure or SIGKILL
leaves it, under a hidden name that ends in ".part".
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gdq_core.errors import OutputError
from gdq_core.files.outputs import Output, check_place, reason


class DraftFile:
    """A file that takes its target's name once it is complete.

    Attributes:
        path: where to write; beside the target.

    """

    def __init__(self, target: Path) -> None:
        """Choose a name; nothing is created yet."""
        self.path = beside(target)
        self._target = target

    def create(self) -> None:
        """Create the empty file, with the permissions of the file that it is going to replace.

        Raises:
            OSError: it cannot be created.

        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        mode = _mode_of(self._target)
        # From the first moment: a private file is private while it is written, too.
        descriptor = os.open(self.path, flags, 0o666 if mode is None else mode & 0o600)
        try:
            if mode is not None:
                self.path.chmod(mode)
        finally:
            os.close(descriptor)

    def commit(self) -> None:
        """Make the content safe and give it its name.

        Raises:
            OSError: the disk is full, or the name cannot be taken.

        """
        flush_to_disk(self.path)
        self.path.replace(self._target)
        flush_to_disk(self.path.parent)

    def discard(self) -> None:
        """Remove the draft; one that was committed is not touched."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


@contextmanager
def draft_file(target: Path) -> Iterator[Path]:
    """Write a file in a block, at the path that it is given; it appears when the block ends.

    Raises:
        OutputError: the system refuses to write it.

    """
    draft = DraftFile(target)
    try:
        draft.create()
        yield draft.path
        draft.commit()
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {reason(error)}") from error
    finally:
        draft.discard()


def save_bytes(path: Path, content: bytes) -> None:
    """Write a file that appears complete, or not at all.

    Raises:
        OutputError: it cannot be written.

    """
    with draft_file(path) as draft:
        draft.write_bytes(content)


@contextmanager
def draft_folder(output: Output, *, overwrite: bool) -> Iterator[Path]:
    """Fill a folder in a block; it appears when the block ends, in place of a former one.

    Args:
        output: the folder; its parents are created.
        overwrite: replace a folder that ``output`` recognises.

    Raises:
        OutputError: it exists and is not to be replaced, or the system refuses to write it.

    """
    target = output.path
    check_place(output, overwrite=overwrite)
    draft = beside(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft.mkdir()
        yield draft
        # Once more: minutes have passed, and something may have been put there.
        check_place(output, overwrite=overwrite)
        _replace_folder(draft, target)
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {reason(error)}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def beside(target: Path) -> Path:
    """Return an unused hidden name in the folder of a target.

    It is short, because the target's own name may be as long as the file system allows.
    """
    return target.with_name(f".gdq-{secrets.token_hex(6)}.part")


def flush_to_disk(path: Path) -> None:
    """Write a file or the entries of a folder through to the disk.

    Raises:
        OSError: a file cannot be written. That a file system keeps no folder safe is no error.

    """
    is_folder = path.is_dir()
    try:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError:
        if not is_folder:
            raise


def _replace_folder(draft: Path, target: Path) -> None:
    for path in draft.rglob("*"):
        flush_to_disk(path)
    mode = _mode_of(target)
    if mode is None:
        draft.rename(target)
        return
    draft.chmod(mode)
    former = beside(target)
    try:
        target.rename(former)
        draft.rename(target)
    except BaseException:
        # An interruption, too, must not cost the folder that was there.
        if former.exists() and not target.exists():
            former.rename(target)
        raise
    finally:
        if target.exists():
            shutil.rmtree(former, ignore_errors=True)
    flush_to_disk(target.parent)


def _mode_of(target: Path) -> int | None:
    """Return the permissions of what is there; None if nothing is, or a link."""
    try:
        status = target.lstat()
    except OSError:
        return None
    return None if stat.S_ISLNK(status.st_mode) else status.st_mode & 0o777
