"""In processes of their own: where tensorflow is loaded, torch crashes while it traces."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from runtime.tiny_bundle import predict, seal, upscale
from runtime.tiny_tflite import FILE
from runtime.tiny_tflite import write_tiny_tflite_bundle as write

pytestmark = pytest.mark.skipif(
    find_spec("tensorflow") is None, reason="tensorflow, an engine to compare with, is not here"
)

TILE = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
PROGRAM = """
import sys
import numpy as np
from pathlib import Path
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.registry import open_engine
from gdq_core.errors import EngineError
folder = Path(sys.argv[1])
tile = np.load(folder.parent / "tile.npy")
engine = open_engine("tensorflow", Bundle.open(folder), 16)
try:
    answers = {str(width): engine.run(width, tile) for width in (4, 5, 6, 8)}
except EngineError as error:
    sys.exit(str(error))
np.savez(folder.parent / "answers.npz", **answers)
print(engine.name, engine.accelerator_used, engine.predict(tile).bit_width)
"""


def run(bundle: Path) -> subprocess.CompletedProcess[str]:
    np.save(bundle.parent / "tile.npy", TILE)
    command = [sys.executable, "-c", PROGRAM, str(bundle)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_runs_the_subgraph_asked_for(tmp_path: Path) -> None:
    done = run(write(tmp_path / "bundle"))
    assert done.stdout == f"tensorflow XNNPACK {predict(TILE)}\n", done.stderr
    with np.load(tmp_path / "answers.npz") as answers:
        for width in (4, 5, 6, 8):
            np.testing.assert_array_equal(answers[str(width)], upscale(TILE, width))


def test_refuses_a_file_that_is_no_model(tmp_path: Path) -> None:
    bundle = write(tmp_path / "bundle")
    (bundle / FILE).write_bytes(b"no model")
    seal(bundle)
    assert run(bundle).stderr.splitlines()[-1].startswith("TensorFlow refuses ")
