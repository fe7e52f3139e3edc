"""What the engine for Android must make of tiles: the same sources, for arm64 Linux, under qemu.

``PYTHONPATH=tests python -m android.bionic.reference EXPECTED FOLDER`` takes bundles and tiles
that ``android.expected`` has written to EXPECTED, and writes ``FOLDER/cases.json``: tiles
(raw RGB) with the instruction set, the ``predictor``'s answer in whole numbers, and ``pictures`` by
bit-width.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from android.bionic.sysroot import zig
from gdq_core.bit_widths import BIT_WIDTHS
from gdq_core.pictures.whole import read_rgb
from gdq_devices.commands import run_command
from gdq_devices.emulated.machine import FOLDER, Machine
from gdq_devices.emulated.setup import set_up_emulator

ROOT = Path(__file__).resolve().parents[3]
PROJECT = ROOT / "android_demo/bionic/reference"

HWCAP = 1 << 20 | 1 << 12
"""Dot products and the rounding multiply-add, as Linux tells them (AT_HWCAP).

Not half precision, with which phones compute the ends of a network: unidbg's processor lacks it.
"""
CPU = "cortex-a76"
INSTRUCTION_SETS = ("dotprod", "neon", "scalar")
SIDE = 32
"""Of tiles that are cut out of larger ones: emulation is slow."""
SECONDS = 300.0


def build_program(folder: Path) -> Path:
    compiler = shlex.join(map(str, zig("c++", "-target", "aarch64-linux-musl")))
    settings = ["-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release"]
    run_command(["cmake", "-S", PROJECT, "-B", folder, *settings], {**os.environ, "CXX": compiler})
    run_command(["cmake", "--build", folder, "--target", "run_tile"])
    return folder / "run_tile"


def cut(tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
    top, left = ((side - SIDE) // 2 for side in tile.shape[:2])
    return np.ascontiguousarray(tile[top : top + SIDE, left : left + SIDE])


def read_tiles(expected: Path) -> list[tuple[str, str, NDArray[np.uint8]]]:
    """Return bundle, instruction set and tile: the first golden tiles as they are, and cut."""
    listed = json.loads((expected / "expected.json").read_text(encoding="utf-8"))["tiles"]
    first = {case["bundle"]: case["tile"] for case in reversed(listed)}
    found = []
    for bundle, path in first.items():
        whole = read_rgb(expected / path)
        found += [(bundle, isa, cut(whole)) for isa in INSTRUCTION_SETS]
        if whole.shape[0] > SIDE:
            found.append((bundle, INSTRUCTION_SETS[0], whole))
    return found


def run_case(
    program: Path, expected: Path, name: Path, case: tuple[str, str, NDArray[np.uint8]]
) -> dict[str, Any]:
    bundle, isa, tile = case
    model, raw = expected / bundle / "engine/model.gdq", name.with_suffix(".rgb")
    tile.tofile(raw)
    height, width = tile.shape[:2]
    words = [model, isa, f"{HWCAP:x}", raw, height, width, name]
    device = Machine(FOLDER).device(CPU)
    said = device.run(str(program), [str(word) for word in words], seconds=SECONDS)
    return {
        "model": str(model), "isa": isa, "height": height, "width": width, "tile": raw.name,
        "predictor": [int(word) for word in said.split()],
        "pictures": {bits: f"{name.name}_bits{bits}.rgb" for bits in BIT_WIDTHS},
    }  # fmt: skip


def main(expected: Path, folder: Path) -> None:
    set_up_emulator(Machine(FOLDER), lambda line: print(f"{line} ...", file=sys.stderr))
    program = build_program(folder.with_name("reference"))
    folder.mkdir(parents=True, exist_ok=True)
    cases = [
        run_case(program, expected, folder / str(number), case)
        for number, case in enumerate(read_tiles(expected))
    ]
    written = {"hwcap": HWCAP, "cases": cases}
    (folder / "cases.json").write_text(json.dumps(written, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
