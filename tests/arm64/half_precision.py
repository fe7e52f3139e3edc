"""Runs on the emulated machine: a packed model whose ends are in half precision, and in float.

``python half_precision.py LIBRARY MODEL TILES ANSWER`` runs the tiles of an .npy file at every
bit-width both ways, and writes the pictures to an .npz file: "half/BITS" and "float/BITS".
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from arm64.packed_model import run_tiles
from engine.kernel_interface import KernelLibrary
from gdq_runtime.engines.native_library import NativeModel


def main(path: str, file: str, inputs: str, answer: str) -> None:
    library, content, tiles = KernelLibrary(Path(path)), Path(file).read_bytes(), np.load(inputs)
    pictures: dict[str, Any] = {}
    for ends in ("half", "float"):
        model = NativeModel(library, content)
        if ends == "float":
            assert library.avoid_half(model), library.last_error()
        for bit_width in model.bit_widths:
            pictures[f"{ends}/{bit_width}"] = run_tiles(model, bit_width, tiles)
    np.savez(answer, **pictures)


if __name__ == "__main__":
    main(*sys.argv[1:])
