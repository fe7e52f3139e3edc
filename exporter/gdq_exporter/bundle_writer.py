"""The bundle as an output: recognising an earlier one, and listing its files."""

from __future__ import annotations

import hashlib
from pathlib import Path

from gdq_core.files.outputs import Output
from gdq_core.files.recognition import read_json
from gdq_runtime.bundle.manifest import MANIFEST_NAME, FileEntry

_LARGEST_MANIFEST = 4 << 20


def bundle_output(target: Path) -> Output:
    """Describe the folder to write, which may replace only a bundle."""
    return Output(target, "a bundle", is_bundle, is_folder=True)


def is_bundle(folder: Path) -> bool:
    """Tell whether a folder is a bundle, even a damaged one, and holds nothing else.

    Other programs write a manifest.json too, and users may have files of their own beside ours.
    """
    manifest = read_json(folder / MANIFEST_NAME, _LARGEST_MANIFEST)
    if not (isinstance(manifest, dict) and manifest.keys() >= {"schema_version", "subgraphs"}):
        return False
    entries = manifest.get("files", [])
    listed = {entry.get("path") for entry in entries if isinstance(entry, dict)}
    found = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if not _is_plain_folder(path)
    }
    return found <= {MANIFEST_NAME, *listed}


def list_files(folder: Path) -> list[FileEntry]:
    """List every file below a folder with size and hash, sorted by path."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [
        FileEntry(
            path=path.relative_to(folder).as_posix(),
            size=path.stat().st_size,
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in paths
    ]


def _is_plain_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
