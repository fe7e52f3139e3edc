from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.registry import DEFAULT_ENGINE, engine_names, open_engine
from gdq_runtime.errors import EngineError
from runtime.tiny_bundle import write_tiny_bundle


def test_opens_the_default_engine(tmp_path: Path) -> None:
    bundle = Bundle.open(write_tiny_bundle(tmp_path / "bundle"))
    assert open_engine(DEFAULT_ENGINE, bundle).name == DEFAULT_ENGINE
    assert DEFAULT_ENGINE in engine_names()


def test_names_the_engines_there_are(tmp_path: Path) -> None:
    bundle = Bundle.open(write_tiny_bundle(tmp_path / "bundle"))
    with pytest.raises(EngineError, match="unknown engine 'abacus'; there is onnxruntime"):
        open_engine("abacus", bundle)


@pytest.mark.parametrize(
    ("engine", "missing", "package"),
    [
        ("onnxruntime", ["onnxruntime"], "onnxruntime"),
        ("litert", ["ai_edge_litert", "tflite_runtime"], "ai-edge-litert"),
        ("tensorflow", ["tensorflow"], "tensorflow"),
    ],
)
def test_says_how_to_install_a_missing_library(
    engine: str, missing: list[str], package: str, tmp_path: Path
) -> None:
    folder = write_tiny_bundle(tmp_path / "bundle")
    program = f"""
import sys
sys.modules |= dict.fromkeys({missing!r})
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.registry import open_engine
from gdq_runtime.errors import EngineError
try:
    open_engine({engine!r}, Bundle.open({str(folder)!r}))
except EngineError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout.endswith(f"pip install {package}\n"), run.stderr
