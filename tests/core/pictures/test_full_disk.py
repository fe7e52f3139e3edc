from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gdq_core.errors import OutputError
from gdq_core.pictures.decode import PictureReader
from gdq_core.pictures.encode import PictureWriter

SUFFIXES = [".png", ".jpg", ".tif"]


def write(target: Path, image: NDArray[np.uint8], step: int = 7) -> None:
    height, width, channels = image.shape
    with PictureWriter(target, width, height, channels) as writer:
        for start in range(0, height, step):
            writer.write_rows(image[start : start + step])
        writer.close()


def read(path: Path) -> NDArray[np.uint8]:
    with PictureReader(path) as reader:
        return reader.read_rows(reader.height)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if sys.platform != "linux" or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("needs Linux and the right to mount a tmpfs")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("step", [8, 1000])
def test_a_full_disk_is_a_sentence(small_disk: Path, suffix: str, step: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1000, 400, 3), dtype=np.uint8)
    with pytest.raises(OutputError, match=r"cannot be written: .+"):
        write(small_disk / f"a{suffix}", noise, step)
    assert list(small_disk.iterdir()) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_disk_that_is_full_with_the_last_bytes(small_disk: Path, suffix: str) -> None:
    """Around the size of the disk: either the picture is there and whole, or an error is."""
    noise = np.random.default_rng(0).integers(0, 256, (100, 1000, 3), dtype=np.uint8)
    outcomes = set()
    for filled in range(0, 1 << 18, 4096):
        ballast = small_disk / "ballast"
        ballast.write_bytes(bytes(filled))
        width = (1000 if suffix == ".jpg" else 400) - 1
        target = small_disk / f"a{suffix}"
        try:
            write(target, noise[:, :width])
        except OutputError:
            assert list(small_disk.iterdir()) == [ballast]
            outcomes.add("error")
        else:
            decoded = read(target)
            assert decoded.shape == (100, width, 3)
            assert suffix == ".jpg" or (decoded == noise[:, :width]).all()
            outcomes.add("picture")
            target.unlink()
        ballast.unlink()
    assert outcomes == {"error", "picture"}
