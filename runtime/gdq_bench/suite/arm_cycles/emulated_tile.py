"""Runs on the emulated machine: a tile of noise at each bit-width, marked for the trace.

``python emulated_tile.py BUNDLE RUNNER WHAT ...``; RUNNER is an engine of the runtime, or the
engine's library and an instruction set (or nothing) with a colon between them; WHAT is a bit-width
or "predictor".
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gdq_runtime import Bundle
from gdq_runtime.engines.base import predictor_of
from gdq_runtime.engines.native_library import NativeLibrary, NativeModel, NativeRunner
from gdq_runtime.engines.registry import open_engine

Tile = NDArray[np.uint8]


def open_runner(
    bundle: Bundle, name: str
) -> tuple[Callable[[int, Tile], object], Callable[[Tile], object]]:
    """Open what upscales a tile of the bundle's size at a bit-width, and what predicts one."""
    size = bundle.manifest.tiling.size
    library, _, instruction_set = name.rpartition(":")
    if not library:
        engine = open_engine(name, bundle, size)
        return engine.run, predictor_of(engine, bundle)
    content = bundle.file("engine/model.gdq").read_bytes()
    model = NativeModel(NativeLibrary(Path(library)), content, instruction_set or None)
    runner = NativeRunner(model, size, size)
    has_statistics = bundle.manifest.predictor.sensitivity is not None
    return runner.run, runner.sense if has_statistics else runner.predict


def main(folder: str, name: str, *what: str) -> None:
    """Do everything twice: the first time prepares, the second one is counted."""
    bundle = Bundle.open(folder)
    run, predict = open_runner(bundle, name)
    size = bundle.manifest.tiling.size
    tile = np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8)
    print(Path("/proc/self/maps").read_text(encoding="utf-8"))
    for one in what:
        bits = None if one == "predictor" else int(one)
        for _ in range(2):
            predict(tile) if bits is None else run(bits, tile)
            os.getppid()


if __name__ == "__main__":
    main(*sys.argv[1:])
