from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from exported import checkpoint, config, exported, tiny

__all__ = ["checkpoint", "config", "exported", "tiny"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a file system")
    yield place
    subprocess.run(["umount", str(place)], check=True)
