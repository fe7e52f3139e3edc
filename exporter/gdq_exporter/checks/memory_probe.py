"""A process that runs one graph and prints by how many bytes its resident set grew.

Arguments: folder of the bundle, engine, bit-width (none for the predictor). Reads the manifest from
stdin. Linux only.
"""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import numpy as np

from gdq_runtime.bundle.manifest import Manifest
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.registry import open_engine

STATUS = Path("/proc/self/status")


def main(folder: str, engine_name: str, bit_width: str | None = None) -> None:
    """Print the growth."""
    bundle = Bundle(Path(folder), Manifest.model_validate_json(sys.stdin.read()))
    size = bundle.manifest.tiling.size
    tile = np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8)
    with closing(open_engine(engine_name, bundle, size)) as engine:
        before = _peak()
        if bit_width is None:
            engine.predict(tile)
        else:
            engine.run(int(bit_width), tile)
        print(_peak() - before)


def _peak() -> int:
    """Return the largest resident set of this process so far, bytes.

    Not from getrusage, which on Linux starts at the peak of the parent process.
    """
    lines = STATUS.read_text(encoding="ascii").splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
