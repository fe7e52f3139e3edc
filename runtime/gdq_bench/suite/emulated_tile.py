"""Runs on the emulated machine: a tile of noise at each bit-width, marked for the count.

``python emulated_tile.py BUNDLE RUNNER WIDTH ...``; RUNNER is an engine of the runtime, or the
engine's library and an instruction set, with a colon between them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gdq_runtime import Bundle
from gdq_runtime.engines.native_library import NativeLibrary, NativeModel, NativeRunner
from gdq_runtime.engines.registry import open_engine

Run = Callable[[int, NDArray[np.uint8]], NDArray[np.uint8]]


def open_runner(bundle: Bundle, name: str) -> Run:
    """What upscales a tile of the bundle's size at a bit-width."""
    size = bundle.manifest.tiling.size
    library, _, instruction_set = name.rpartition(":")
    if not library:
        return open_engine(name, bundle, size).run
    content = bundle.file("engine/model.gdq").read_bytes()
    model = NativeModel(NativeLibrary(Path(library)), content, instruction_set)
    return NativeRunner(model, size, size).run


def main(folder: str, name: str, *widths: str) -> None:
    """Run twice at each width: the first run prepares, the second one is counted."""
    bundle = Bundle.open(folder)
    run = open_runner(bundle, name)
    size = bundle.manifest.tiling.size
    tile = np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8)
    print(Path("/proc/self/maps").read_text(encoding="utf-8"))
    for width in map(int, widths):
        run(width, tile)
        os.getppid()
        run(width, tile)
        os.getppid()


if __name__ == "__main__":
    main(*sys.argv[1:])
