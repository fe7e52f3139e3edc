"""The bundle as an output: how a former one is recognised, and what the manifest lists."""

from __future__ import annotations

import hashlib
from pathlib import Path

from gdq_core.files.outputs import Output
from gdq_core.files.recognition import read_json
from gdq_runtime.bundle.manifest import FileEntry

MANIFEST = "manifest.json"

_LARGEST_MANIFEST = 4 << 20


def bundle_output(target: Path) -> Output:
    """Describe the folder to write; it replaces nothing but a bundle."""
    return Output(target, "a bundle", is_bundle, is_folder=True)


def is_bundle(folder: Path) -> bool:
    """Tell whether a folder is a bundle, be it damaged, and nothing else.

    Other programs have a manifest.json too, and a user may have put files of his own beside ours.
    """
    manifest = read_json(folder / MANIFEST, _LARGEST_MANIFEST)
    if not (isinstance(manifest, dict) and manifest.keys() >= {"schema_version", "subgraphs"}):
        return False
    entries = manifest.get("files", [])
    listed = {entry.get("path") for entry in entries if isinstance(entry, dict)}
    found = {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if not _is_room(path)
    }
    return found <= {MANIFEST, *listed}


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


def _is_room(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
