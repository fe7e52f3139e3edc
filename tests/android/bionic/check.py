"""What a library must be like to load on Android 8 and later, and on pages of 16 KB."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from android.bionic.elf import read_library
from android.bionic.sysroot import SYSTEM_LIBRARIES

PAGE = 16384
"""Bytes: the largest page of a phone; Google Play wants libraries that are made for it."""


def complaints(libraries: Sequence[Path], system: Path) -> list[str]:
    """List what is wrong with libraries that are loaded together.

    Args:
        libraries: of one app.
        system: folder of Android's own libraries.

    """
    provided = {
        symbol.name
        for path in (*libraries, *(system / f"{name}.so" for name in SYSTEM_LIBRARIES))
        for symbol in read_library(path).shown
    }
    known = {f"{name}.so" for name in SYSTEM_LIBRARIES} | {path.name for path in libraries}
    return [
        f"{path.name} {complaint}"
        for path in libraries
        for complaint in _complaints(path, provided, known)
    ]


def _complaints(path: Path, provided: set[str], known: set[str]) -> list[str]:
    library = read_library(path)
    found = []
    if library.machine != "AArch64":
        found.append(f"is for {library.machine}")
    if strangers := sorted(library.needed - known):
        found.append(f"needs {', '.join(strangers)}")
    if missing := sorted(library.asked - provided):
        found.append(f"asks for {', '.join(missing)}, which Android 6 lacks")
    if any(version.startswith("GLIBC") for version in library.versions_needed):
        found.append("is linked with glibc")
    if not library.alignments or any(size % PAGE for size in library.alignments):
        found.append(f"has segments aligned to {library.alignments}, not to {PAGE} bytes")
    if library.has_tls:
        found.append("has thread-local storage, which needs Android 10")
    if library.has_text_relocations:
        found.append("has relocations in its code, which Android refuses")
    return found
