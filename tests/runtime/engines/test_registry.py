from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gdq_core.errors import EngineError
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.registry import (
    FALLBACK_ENGINE,
    FASTEST_ENGINE,
    default_engine,
    engine_names,
    open_engine,
)
from runtime.tiny_bundle import write_tiny_bundle


def test_falls_back_on_an_engine_that_reads_the_bundle(tmp_path: Path) -> None:
    bundle = Bundle.open(write_tiny_bundle(tmp_path / "bundle"))
    name, reason = default_engine(bundle)
    assert open_engine(name, bundle).name == name == FALLBACK_ENGINE
    assert reason == (
        f"engine 'onnxruntime' is used: {bundle.path} has no graphs for engine 'gdq', which reads "
        "engine: it was exported with --formats onnx"
    )
    assert {FASTEST_ENGINE, FALLBACK_ENGINE} <= set(engine_names())


def test_names_the_engines_there_are(tmp_path: Path) -> None:
    bundle = Bundle.open(write_tiny_bundle(tmp_path / "bundle"))
    with pytest.raises(EngineError, match="unknown engine 'abacus'; there is onnxruntime,"):
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
from gdq_core.errors import EngineError
try:
    open_engine({engine!r}, Bundle.open({str(folder)!r}))
except EngineError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout.endswith(f"pip install {package}\n"), run.stderr
