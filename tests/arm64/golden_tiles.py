"""Runs on the emulated machine: a bundle's golden tiles through every engine, one answer as JSON.

``python golden_tiles.py BUNDLE``. It judges nothing, so that what runs here is small.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import platform
import sys
import time
from collections import defaultdict
from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdq_runtime import Bundle, BundleError
from gdq_runtime.bundle.manifest import GoldenTile
from gdq_runtime.engines import registry
from gdq_runtime.engines.base import Engine
from gdq_runtime.engines.registry import engine_names, open_engine
from gdq_validate.agreement import count_differences, read_picture

ENGINES = tuple(name for name in engine_names() if name != "tensorflow")
"""TensorFlow's interpreter is LiteRT's; its wheel of 250 MB is not installed there."""

# Bits of the vectors that Linux hands to every program (arch/arm64/include/uapi/asm/hwcap.h).
_AT_HWCAP, _AT_HWCAP2 = 16, 26
_DOT_PRODUCT, _INT8_MATRICES = 1 << 20, 1 << 13


def run_bundle(bundle: Bundle) -> dict[str, Any]:
    """Answers of all engines, and what they ran on."""
    return {
        "machine": platform.machine(),
        "features": _features(),
        "engines": {name: _try_engine(name, bundle) for name in ENGINES},
    }


def _try_engine(name: str, bundle: Bundle) -> dict[str, Any]:
    """A bundle that has nothing for this engine is an answer; any other error is a failure."""
    try:
        engine = open_engine(name, bundle, bundle.manifest.tiling.size)
    except BundleError as refusal:
        return {"refusal": str(refusal)}
    with closing(engine):
        return _run_engine(engine, bundle)


def _decide(engine: Engine, golden: GoldenTile, tile: NDArray[np.uint8]) -> dict[str, Any]:
    if golden.sensitivity is not None:
        return {"expected": golden.sensitivity, "got": list(engine.sense(tile))}
    return {"expected": golden.bit_width, "got": engine.predict(tile).bit_width}


def _run_engine(engine: Engine, bundle: Bundle) -> dict[str, Any]:
    """Decisions by tile; by bit-width, how many samples are how far from the expected ones."""
    start = time.perf_counter()
    source = registry.ENGINES[engine.name].reads
    decisions = []
    pixels = hashlib.sha256()
    pairs: dict[str, list[tuple[NDArray[np.uint8], NDArray[np.uint8]]]] = defaultdict(list)
    for golden in bundle.manifest.golden:
        tile = read_picture(bundle.file(golden.tile))
        decisions.append(_decide(engine, golden, tile))
        for width, expected in golden.outputs[source].items():
            got = engine.run(int(width), tile)
            pixels.update(got.tobytes())
            pairs[width].append((got, read_picture(bundle.file(expected))))
    return {
        "accelerator": engine.accelerator_used,
        "decisions": decisions,
        "differences": {width: count_differences(found) for width, found in pairs.items()},
        "pixels": pixels.hexdigest(),
        "seconds": time.perf_counter() - start,
    }


def _features() -> dict[str, bool]:
    """Instructions that decide which kernels a library chooses; empty where this is no ARM64."""
    if platform.machine() != "aarch64":
        return {}
    getauxval = ctypes.CDLL(None).getauxval
    getauxval.restype, getauxval.argtypes = ctypes.c_ulong, [ctypes.c_ulong]
    return {
        "dot product": bool(getauxval(_AT_HWCAP) & _DOT_PRODUCT),
        "int8 matrices": bool(getauxval(_AT_HWCAP2) & _INT8_MATRICES),
    }


if __name__ == "__main__":
    print(json.dumps(run_bundle(Bundle.open(sys.argv[1]))))
