from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from gdq_core.errors import BundleError, EngineError
from gdq_runtime.bundle.manifest import Format
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines import native_library
from gdq_runtime.engines.registry import (
    DEFAULTS,
    ENGINES,
    default_engine,
    engine_names,
    open_engine,
)
from runtime.engine_library import need_library
from runtime.tiny_bundle import write_tiny_bundle
from runtime.tiny_packed_model import write_tiny_packed_bundle
from runtime.tiny_tflite import write_tiny_tflite_bundle

BUNDLES = {
    "onnx": write_tiny_bundle,
    "tflite": write_tiny_tflite_bundle,
    "engine": write_tiny_packed_bundle,
}


def test_falls_back_on_an_engine_that_reads_the_bundle(tmp_path: Path) -> None:
    bundle = Bundle.open(write_tiny_bundle(tmp_path / "bundle"))
    name, reason = default_engine(bundle)
    assert open_engine(name, bundle).name == name == "onnxruntime"
    assert reason == (
        f"engine 'onnxruntime' is used: {bundle.path} has no graphs for engine 'gdq', which reads "
        "engine: it was exported with --formats onnx"
    )


def test_names_the_engines_there_are(tmp_path: Path) -> None:
    bundle = Bundle.open(write_tiny_bundle(tmp_path / "bundle"))
    with pytest.raises(EngineError, match="unknown engine 'abacus'; choose one of onnxruntime,"):
        open_engine("abacus", bundle)


def open_as(folder: Path, *formats: str) -> Bundle:
    """Opens a bundle as if it had been exported with these formats."""
    bundle = Bundle.open(folder)
    return Bundle(folder, bundle.manifest.model_copy(update={"formats": list(formats)}))


def test_there_is_a_default_for_every_format() -> None:
    assert {ENGINES[name].reads for name in DEFAULTS} == set(get_args(Format))
    assert all(name == entry.name for name, entry in ENGINES.items())
    assert engine_names() == tuple(ENGINES)


@pytest.mark.parametrize("format_", BUNDLES)
@pytest.mark.parametrize("name", ["onnxruntime", "litert", "gdq"])
def test_an_engine_without_its_format_names_one_that_has_it(
    name: str, format_: str, tmp_path: Path
) -> None:
    bundle = open_as(BUNDLES[format_](tmp_path / "bundle"), format_)
    reads = ENGINES[name].reads
    if reads == format_:
        if name == "gdq":
            need_library()
        assert open_engine(name, bundle, 16).name == name
        return
    (other,) = (other for other in DEFAULTS if ENGINES[other].reads == format_)
    with pytest.raises(BundleError) as caught:
        open_engine(name, bundle, 16)
    assert str(caught.value) == (
        f"{bundle.path} has no graphs for engine {name!r}, which reads {reads}: it was exported "
        f"with --formats {format_}; choose --engine {other}"
    )


@pytest.mark.parametrize("size", [None, 24])
def test_an_engine_of_one_size_refuses_others(tmp_path: Path, size: int | None) -> None:
    folder = write_tiny_tflite_bundle(tmp_path / "bundle")
    with pytest.raises(EngineError, match=r"runs tiles of 16x16 pixels only.* --policy uniform$"):
        open_engine("litert", open_as(folder, "tflite"), size)
    with pytest.raises(EngineError, match=r"uniform, or choose --engine onnxruntime$"):
        open_engine("litert", open_as(folder, "tflite", "onnx"), size)


def test_the_default_reads_the_bundle(tmp_path: Path) -> None:
    bundle = Bundle.open(write_tiny_tflite_bundle(tmp_path / "bundle"))
    name, reason = default_engine(bundle)
    assert name == "litert"
    assert reason is not None
    assert reason.startswith("engine 'litert' is used: ")


def test_where_the_engine_was_not_built_others_are_advised_if_they_read_the_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native_library, "LIBRARY", tmp_path / "none.so")
    native_library.load_library.cache_clear()
    try:
        folder = write_tiny_packed_bundle(tmp_path / "bundle")
        alone, both = open_as(folder, "engine"), open_as(folder, "engine", "onnx")
        assert default_engine(alone) == ("gdq", None)
        with pytest.raises(EngineError, match=r"was not built .* says what is missing\)$"):
            open_engine("gdq", alone, 16)
        with pytest.raises(EngineError, match=r"missing\), or choose --engine onnxruntime$"):
            open_engine("gdq", both, 16)
        name, reason = default_engine(both)
        assert (name, reason and "was not built" in reason) == ("onnxruntime", True)
    finally:
        native_library.load_library.cache_clear()


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
    folder = BUNDLES[ENGINES[engine].reads](tmp_path / "bundle")
    program = f"""
import sys
sys.modules |= dict.fromkeys({missing!r})
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.registry import open_engine
from gdq_core.errors import BundleError, EngineError
try:
    open_engine({engine!r}, Bundle.open({str(folder)!r}), 16)
except EngineError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert f"pip install {package}" in run.stdout, run.stderr
