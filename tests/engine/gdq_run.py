"""The program gdq_run of the editable installation, and folders of golden tiles for it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import hatch_build
import numpy as np
import pytest
from numpy.typing import NDArray

from gdq_bench.native.lines import ErrorLine, Line, RoundLine, read_lines

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Finished:
    status: int
    lines: list[Line]
    stderr: str

    @property
    def rounds(self) -> list[RoundLine]:
        return [line for line in self.lines if isinstance(line, RoundLine)]

    @property
    def error(self) -> ErrorLine:
        (line,) = (line for line in self.lines if isinstance(line, ErrorLine))
        return line


def need_program() -> Path:
    """Skips the test where the program was not built, fails it where it had to be."""
    if not hatch_build.TEST_PROGRAM.is_file():
        assert os.environ.get("GDQ_BUILD_ENGINE") != "1"
        pytest.skip("gdq_run was not built with this installation")
    return hatch_build.TEST_PROGRAM


def run(*arguments: str | Path, program: Sequence[str | Path] = ()) -> Finished:
    command = [*(program or [need_program()]), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return Finished(done.returncode, read_lines(done.stdout), done.stderr)


def write_ppm(path: Path, picture: Picture) -> None:
    height, width, _ = picture.shape
    path.write_bytes(f"P6 {width} {height} 255\n".encode() + picture.tobytes())


def write_golden(
    folder: Path, tiles: Sequence[Picture], expected: Mapping[tuple[str, int], Sequence[Picture]]
) -> Path:
    """Tiles, and (format, bits) -> what becomes of them; nothing may differ."""
    folder.mkdir()
    for number, tile in enumerate(tiles):
        write_ppm(folder / f"{number}.ppm", tile)
        for (form, bits), pictures in expected.items():
            write_ppm(folder / f"{number}_bits{bits}_{form}.ppm", pictures[number])
    formats = sorted({form for form, _ in expected})
    (folder / "bounds.txt").write_text("".join(f"{form} 0 0\n" for form in formats))
    return folder
