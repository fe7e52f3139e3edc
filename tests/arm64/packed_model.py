"""Runs on the emulated machine: a packed model on every instruction set of its own.

``python packed_model.py LIBRARY MODEL TILES ANSWER`` runs the tiles of an .npy file at every
bit-width, and writes the pictures to an .npz file. Plain code is left out: it takes too long.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdq_runtime.engines.native_library import NativeLibrary, NativeModel, NativeRunner

PLAIN = "scalar"


def run_model(
    library: NativeLibrary, content: bytes, tiles: NDArray[np.uint8]
) -> dict[str, NDArray[np.uint8]]:
    """ "instruction set/bit-width/kernel" -> pictures."""
    pictures = {}
    for name, is_there in library.instruction_sets().items():
        if is_there and name != PLAIN:
            model = NativeModel(library, content, name)
            for bit_width in model.bit_widths:
                key = f"{name}/{bit_width}/{model.kernel(bit_width)}"
                pictures[key] = run_tiles(model, bit_width, tiles)
    return pictures


def run_tiles(model: NativeModel, bit_width: int, tiles: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(N, size, size, 3) -> (N, size * scale, size * scale, 3)."""
    runner = NativeRunner(model, *tiles.shape[1:3])
    return np.stack([runner.run(bit_width, tile) for tile in tiles])


if __name__ == "__main__":
    _, path, file, inputs, answer = sys.argv
    pictures: dict[str, Any] = run_model(
        NativeLibrary(Path(path)), Path(file).read_bytes(), np.load(inputs)
    )
    np.savez(answer, **pictures)
