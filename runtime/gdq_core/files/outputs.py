"""What a command may write, decided before its work begins: nothing of the user's is ever lost.

Three rules, for every output of every command:

- Only what is recognisably ours, or empty, is replaced; ``recognition`` tells what is ours.
- An output never is, holds or lies in an input, whatever links lead there.
- Two outputs of a command are never the same, nor does one lie in another that is replaced.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gdq_core.errors import OutputError

Recogniser = Callable[[Path], bool]
"""Tells of a file or folder that exists whether it is ours, so that a new one may replace it."""


@dataclass(frozen=True)
class Output:
    """A file or folder that a command is going to write.

    Attributes:
        path: its name as it was typed.
        what: its kind in a few words, with an article: "a picture", "a bundle".
        is_ours: recognises a former one; never asked of empty ones.
        is_folder: a folder, which is replaced as a whole; else a file.

    """

    path: Path
    what: str
    is_ours: Recogniser
    is_folder: bool = False


@dataclass(frozen=True)
class FilledFolder:
    """A folder to which a command adds files under names of its own; nothing in it is removed.

    Attributes:
        path: its name as it was typed; created if it is not there.

    """

    path: Path


def check_outputs(
    outputs: Sequence[Output | FilledFolder], inputs: Iterable[Path], *, overwrite: bool
) -> None:
    """Apply all rules to all outputs of a command.

    Args:
        outputs: all that the command is going to write.
        inputs: all files and folders that it reads.
        overwrite: replace what is ours.

    Raises:
        OutputError: an output is refused.

    """
    check_apart(outputs, inputs)
    for output in outputs:
        check_place(output, overwrite=overwrite)


def check_apart(outputs: Sequence[Output | FilledFolder], inputs: Iterable[Path]) -> None:
    """Make sure that no output touches an input or another output.

    Raises:
        OutputError: one does.

    """
    places = _Places()
    read: dict[Hashable, Path] = {}
    above_inputs: dict[Hashable, Path] = {}
    for path in inputs:
        itself, *above = places.lineage(path)
        read[itself] = path
        above_inputs |= dict.fromkeys(above, path)
    written: dict[Hashable, Output | FilledFolder] = {}
    for output in outputs:
        itself, *above = places.lineage(output.path)
        if itself in read:
            raise OutputError(f"{output.path} is an input of this command: choose another output")
        if outer := next((read[place] for place in above if place in read), None):
            raise OutputError(
                f"{output.path} lies in {outer}, an input of this command: choose a place "
                "outside it"
            )
        if itself in above_inputs:
            raise OutputError(
                f"{output.path} holds {above_inputs[itself]}, an input of this command: choose a "
                "folder of its own"
            )
        if itself in written:
            raise OutputError(f"{output.path} would be written twice: choose different names")
        written[itself] = output
    _check_nesting(outputs, written, places)


def check_place(output: Output | FilledFolder, *, overwrite: bool) -> None:
    """Make sure that an output can be written without a loss.

    Raises:
        OutputError: something is there that is not to be replaced, or the place cannot be written.

    """
    path = output.path
    try:
        status = path.lstat()
    except FileNotFoundError:
        _check_parent(path, may_be_made=not isinstance(output, Output) or output.is_folder)
        return
    except (OSError, ValueError) as error:
        raise OutputError(f"{path} cannot be written: {reason(error)}") from error
    if isinstance(output, FilledFolder):
        if not path.is_dir():
            raise OutputError(f"{path} is not a folder")
        _check_writable(path, path)
        return
    _check_taken(output, status, overwrite=overwrite)
    _check_parent(path, may_be_made=False)


def reason(error: OSError | ValueError) -> str:
    """Return why the system refuses a file, without its name."""
    return getattr(error, "strerror", None) or str(error)


def _check_taken(output: Output, status: os.stat_result, *, overwrite: bool) -> None:
    path = output.path
    if stat.S_ISLNK(status.st_mode):
        raise OutputError(f"{path} is a link and is kept: name what it points to")
    if output.is_folder:
        if not stat.S_ISDIR(status.st_mode):
            raise OutputError(f"{path} is not a folder")
        if not any(path.iterdir()):
            return
    elif stat.S_ISDIR(status.st_mode):
        raise OutputError(f"{path} cannot be written: it is a folder")
    elif not stat.S_ISREG(status.st_mode):
        raise OutputError(f"{path} cannot be written: it is not a regular file")
    if not overwrite:
        raise OutputError(f"{path} exists; --overwrite replaces it")
    if (output.is_folder or status.st_size) and not output.is_ours(path):
        raise OutputError(f"{path} is not {output.what} of ours and is kept: choose another output")


def _check_nesting(
    outputs: Sequence[Output | FilledFolder],
    written: dict[Hashable, Output | FilledFolder],
    places: _Places,
) -> None:
    for output in outputs:
        for place in places.lineage(output.path)[1:]:
            outer = written.get(place)
            if isinstance(outer, Output):
                raise OutputError(
                    f"{output.path} lies in {outer.path}, which is written as a whole: choose a "
                    "place outside"
                )


def _check_parent(path: Path, *, may_be_made: bool) -> None:
    """Find out whether an entry can be added to the folder of a path."""
    folder = path.absolute().parent
    while may_be_made and not os.path.lexists(folder):
        folder = folder.parent
    if not folder.is_dir():
        raise OutputError(f"{path} cannot be written: there is no folder {folder}")
    _check_writable(path, folder)


def _check_writable(path: Path, folder: Path) -> None:
    if os.access(folder, os.W_OK | os.X_OK):
        return
    if hasattr(os, "statvfs") and os.statvfs(folder).f_flag & os.ST_RDONLY:
        raise OutputError(f"{path} cannot be written: the file system is read-only")
    raise OutputError(f"{path} cannot be written: no permission to write to {folder}")


class _Places:
    """Tells places apart whatever they are called; remembers what it has looked up."""

    def __init__(self) -> None:
        self._known: dict[Path, Hashable] = {}

    def lineage(self, path: Path) -> list[Hashable]:
        """Return what identifies a path, its folder, the folder of that, up to the root."""
        try:
            real = Path(os.path.realpath(path))
        except (OSError, ValueError) as error:  # e.g. a NUL in the name
            raise OutputError(f"{path} is not a valid file name: {error}") from error
        return [self._identity(place) for place in (real, *real.parents)]

    def _identity(self, path: Path) -> Hashable:
        if path not in self._known:
            self._known[path] = self._look_up(path)
        return self._known[path]

    def _look_up(self, path: Path) -> Hashable:
        """Device and inode of what exists; else the folder's identity and the name."""
        try:
            status = path.stat()
        except OSError:
            name = path.name.casefold() if _folds_case(path.parent) else path.name
            return (self._identity(path.parent), name)
        return (status.st_dev, status.st_ino)


def _folds_case(folder: Path) -> bool:
    """Tell whether a folder is known by its name in other letters too, as on most Macs."""
    swapped = folder.with_name(folder.name.swapcase()) if folder.name else folder
    try:
        return swapped.name != folder.name and swapped.samefile(folder)
    except OSError:
        return False
