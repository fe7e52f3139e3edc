"""What a wrongly compiled kernel does to a bundle: one output channel of one layer is wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from engine.reference import read
from runtime.tiny_bundle import seal

FILE = "engine/model.gdq"


def miscompile(bundle: Path, target: Path) -> Path:
    """Copies a bundle; our engine computes the first channel of its first integer layer wrongly.

    The file's hash is right, so nothing but what is computed tells.
    """
    shutil.copytree(bundle, target)
    content = bytearray((target / FILE).read_bytes())
    layers = read(bytes(content)).layers
    weights = next(layer.weights for layer in layers if layer.weights.dtype == np.int8)
    place = content.find(weights.tobytes())
    for number in range(place, place + weights[0].size):
        content[number] ^= 0x80
    (target / FILE).write_bytes(content)
    seal(target)
    return target
