"""The program gdq_run of the editable installation, and folders of golden tiles for it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import hatch_build
import numpy as np
import pytest
from numpy.typing import NDArray

from gdq_bench.native.inputs import write_plan
from gdq_bench.native.lines import ErrorLine, Line, RoundLine, read_lines
from gdq_runtime.tiles.tiling import TilePlan
from runtime.tiny_bundle import upscale

Picture = NDArray[np.uint8]

SIDE, SCALE = 16, 2


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
    with tempfile.TemporaryDirectory() as folder:  # where ONNX Runtime leaves a file of its own
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
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


def digest(*pictures: Picture) -> str:
    return hashlib.sha256(b"".join(picture.tobytes() for picture in pictures)).hexdigest()


def cubic(tile: Picture) -> Picture:
    """Twice as large, by Keys' kernel with a = -3/4; all sums are exact in doubles."""

    def along_rows(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
        padded = np.pad(pixels, ((2, 2), (0, 0), (0, 0)), mode="edge")
        left, near, far, right = -0.1054687500, 0.8789062500, 0.2617187500, -0.0351562500
        n = len(pixels)
        rows = [padded[shift : shift + n] for shift in range(5)]
        before = right * rows[0] + far * rows[1] + near * rows[2] + left * rows[3]
        after = left * rows[1] + near * rows[2] + far * rows[3] + right * rows[4]
        return np.stack([before, after], axis=1).reshape(2 * n, *pixels.shape[1:])

    both = along_rows(along_rows(tile.astype(np.float64)).swapaxes(0, 1)).swapaxes(0, 1)
    return np.clip(np.floor(both + 0.5), 0, 255).astype(np.uint8)


def stitched(picture: Picture, plan: TilePlan, bit_map: NDArray[np.uint8]) -> Picture:
    """What comes of a picture, tile by tile."""
    result = np.zeros((picture.shape[0] * SCALE, picture.shape[1] * SCALE, 3), np.uint8)
    for row, widths in zip(plan.rows, bit_map, strict=True):
        for column, bits in zip(plan.columns, widths, strict=True):
            tile = picture[row.start : row.stop, column.start : column.stop]
            high = upscale(tile, int(bits)) if bits else cubic(tile)
            down = slice(row.own_start * SCALE, row.own_stop * SCALE)
            across = slice(column.own_start * SCALE, column.own_stop * SCALE)
            own_down = slice(
                (row.own_start - row.start) * SCALE, (row.own_stop - row.start) * SCALE
            )
            shift = column.start * SCALE
            own_across = slice(across.start - shift, across.stop - shift)
            result[down, across] = high[own_down, own_across]
    return result


def write_picture(folder: Path) -> tuple[Picture, TilePlan, NDArray[np.uint8]]:
    """A picture of 4x3 tiles, the last of which are moved back to its edge."""
    random = np.random.default_rng(2)
    picture = random.integers(0, 256, (33, 50, 3), dtype=np.uint8)
    plan = TilePlan(50, 33, SIDE, 4)
    bit_map = random.choice(np.array([0, 4, 8], np.uint8), plan.shape)
    write_plan(picture, plan, bit_map, folder)
    return picture, plan, bit_map
