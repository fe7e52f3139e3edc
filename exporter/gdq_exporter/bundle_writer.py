"""Files -> sealed bundle: whole, or not there at all."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gdq_exporter.errors import ExportError
from gdq_runtime.bundle.manifest import FileEntry

MANIFEST = "manifest.json"


@contextmanager
def bundle_folder(target: Path, *, overwrite: bool) -> Iterator[Path]:
    """A temporary folder beside ``target`` that becomes it if the block ends without an error.

    Raises:
        ExportError: the target exists and is not to be replaced, or cannot be written.
    """
    try:
        _check_target(target, overwrite=overwrite)
        target.parent.mkdir(parents=True, exist_ok=True)
        folder = _temporary_folder(target)
    except OSError as error:
        raise ExportError(f"{target}: cannot write here: {_reason(error)}") from error
    try:
        yield folder
        _move_into_place(folder, target)
    except OSError as error:
        raise ExportError(
            f"{target}: cannot write the bundle: {error.strerror or error}"
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


def _check_target(target: Path, *, overwrite: bool) -> None:
    """Refuses a target that exists, unless it is a bundle that may be replaced."""
    if not (target.exists() or target.is_symlink()):
        return
    if not overwrite:
        raise ExportError(f"{target} exists already; give --overwrite to replace it")
    empty = target.is_dir() and not any(target.iterdir())
    if target.is_symlink() or not (empty or _is_bundle(target)):
        raise ExportError(f"{target} is not a bundle; refusing to overwrite it")


def _is_bundle(folder: Path) -> bool:
    """Whether a folder is a bundle, damaged ones too; other programs also write manifest.json."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(manifest, dict) and manifest.keys() >= {"schema_version", "subgraphs"}


def _temporary_folder(target: Path) -> Path:
    """A hidden folder on the target's file system, so that moving it into place is one step."""
    return Path(tempfile.mkdtemp(prefix=".gdq-export.", dir=target.parent))


def _move_into_place(folder: Path, target: Path) -> None:
    folder.chmod(0o755)  # mkdtemp makes it private
    if not target.exists():
        folder.rename(target)
        return
    old = _temporary_folder(target)
    target.rename(old / "bundle")
    try:
        folder.rename(target)
    except BaseException:
        # An interruption, too, must not cost the bundle that was there.
        if not target.exists():
            (old / "bundle").rename(target)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def list_files(folder: Path) -> list[FileEntry]:
    """Every file below a folder with size and hash, sorted by path."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [
        FileEntry(
            path=path.relative_to(folder).as_posix(),
            size=path.stat().st_size,
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in paths
    ]
