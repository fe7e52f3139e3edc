"""Libraries out of archives of Maven Central, through Maven's own client."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path
from zipfile import ZipFile

import hatch_build
import pytest


def maven_library(artifact: str, inside: str) -> Path:
    """The file ``inside`` of an archive, which is kept; one process of the tests at a time."""
    folder = hatch_build.BUILD / "maven" / artifact.replace(":", "_")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        library = folder / inside
        if not library.is_file():
            _fetch(artifact, inside, folder)
    return library


def _fetch(artifact: str, inside: str, folder: Path) -> None:
    if shutil.which("mvn") is None:
        pytest.skip(f"there is no mvn here to fetch {artifact} with")
    command = ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={artifact}"]
    done = subprocess.run(
        [*command, f"-DoutputDirectory={folder}"], capture_output=True, text=True, check=False,
        cwd="/", timeout=240,
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"Maven does not give {artifact}: {done.stdout[-200:]}")
    (archive,) = folder.glob("*.jar")
    with ZipFile(archive) as opened:
        opened.extract(inside, folder)
