"""Our folder on a phone: files are known by their content, and none is pushed twice.

There is one folder for all runs, so that what an earlier run left behind when it was killed, or the
cable cut, is found by the next one: used where it is right, removed where it is not.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gdq_devices.adb.shell import Shell
from gdq_devices.errors import ProgramError

FOLDER = "/data/local/tmp/gdq-bench"
_SECONDS = 30.0
_SLOWEST = 200_000
"""Bytes a second over the worst cable; a push may take as long as that."""

_LIST = f"""
if [ -d {FOLDER} ]; then
  find {FOLDER} -type f | while read -r file; do
    sha256sum "$file" 2>/dev/null || sha1sum "$file"
  done
fi
""".strip()
# What a killed run left running wrote its number there; only a process that runs a program of our
# folder is ended.
_END_PROGRAMS = f"""
for file in {FOLDER}/*.pid; do
  [ -f $file ] || continue
  read -r pid < $file
  case $(cat /proc/$pid/cmdline 2>/dev/null) in *{FOLDER}/*) kill -9 $pid; echo ended ;; esac
  rm -f $file
done; true
""".strip()


@dataclass(frozen=True)
class Tidied:
    """What was found of earlier runs.

    Attributes:
        ended: programs that were still running.
        removed: files that nobody needs.
        kept: files that were there already and are right.
        pushed: files that were pushed.

    """

    ended: int
    removed: int
    kept: int
    pushed: int


def fill_folder(shell: Shell, files: Mapping[str, Path]) -> Tidied:
    """Make the folder hold these files and no others; all are verified on the phone.

    Args:
        shell: of the phone.
        files: path inside the folder -> file here.

    Raises:
        LostError: the phone does not answer.
        ProgramError: the disk is full, or a file arrives damaged.

    """
    ended = end_programs(shell)
    present = _list_files(shell)
    wrong = [path for path, digest in present.items() if not _is_right(files.get(path), digest)]
    for path in wrong:
        shell.run(f"rm -f {shlex.quote(f'{FOLDER}/{path}')}", _SECONDS)
    missing = {path: file for path, file in files.items() if path not in present or path in wrong}
    folders = sorted({str(PurePosixPath(FOLDER, path).parent) for path in files})
    shell.run(f"mkdir -p {' '.join(map(shlex.quote, folders))}", _SECONDS)
    for path, file in missing.items():
        seconds = _SECONDS + file.stat().st_size / _SLOWEST
        shell.push(file, f"{FOLDER}/{path}", seconds)
    if missing:
        _verify(shell, missing)
    return Tidied(ended, len(wrong), len(present) - len(wrong), len(missing))


def end_programs(shell: Shell) -> int:
    """End what earlier runs left running, and return how many that were.

    Raises:
        LostError: the phone does not answer.

    """
    return shell.run(_END_PROGRAMS, _SECONDS).count("ended")


def remove_folder(shell: Shell) -> None:
    """Remove the folder and all that runs from it.

    Raises:
        LostError: the phone does not answer.
        ProgramError: it belongs to another user.

    """
    end_programs(shell)
    shell.run(f"rm -rf {FOLDER}", _SECONDS)


def try_to_remove(shell: Shell) -> str | None:
    """Remove the folder if the phone answers; return what to say if it does not."""
    with suppress(ProgramError):
        remove_folder(shell)
        return None
    return (
        f"{FOLDER} stays on {shell.serial}, which does not answer: the next run removes it, or "
        f"`adb -s {shell.serial} shell rm -rf {FOLDER}`"
    )


def _list_files(shell: Shell) -> dict[str, str]:
    """Return path inside the folder -> digest."""
    found = re.findall(
        rf"^([0-9a-f]{{40}}|[0-9a-f]{{64}})\s+{FOLDER}/(.+)$", shell.run(_LIST, _SECONDS), re.M
    )
    return {path: digest for digest, path in found}


def _verify(shell: Shell, files: Mapping[str, Path]) -> None:
    present = _list_files(shell)
    for path, file in files.items():
        if not _is_right(file, present.get(path, "")):
            raise ProgramError(
                f"{path} arrived damaged on {shell.serial}: try another cable, or another USB port"
            )


def _is_right(file: Path | None, digest: str) -> bool:
    """Compare by SHA-256, or by SHA-1 with Android 7, which has no other."""
    if file is None or not digest:
        return False
    kind = "sha256" if len(digest) == hashlib.sha256().digest_size * 2 else "sha1"
    return hashlib.new(kind, file.read_bytes()).hexdigest() == digest
