from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from core.made_pictures import png_bytes, random_image
from gdq_core.errors import BundleError, EngineError
from gdq_exporter import ExportResult
from gdq_runtime.bundle.reader import Bundle
from gdq_validate.comparison import (
    compare_golden_tiles,
    compare_pictures,
    present_engines,
)
from gdq_validate.ground_truth import list_ground_truth
from runtime.engine_library import need_library
from runtime.tiny_bundle import write_tiny_bundle


@pytest.fixture(scope="module")
def bundle(exported: ExportResult) -> Bundle:
    return Bundle.open(exported.bundle)


def refuse(sentence: str) -> None:
    raise AssertionError(sentence)


def test_all_engines_agree_on_golden_tiles(bundle: Bundle) -> None:
    need_library()
    names = present_engines(bundle, "onnxruntime,litert,gdq,numpy", refuse)
    results = list(compare_golden_tiles(bundle, names))
    assert [result.engine for result in results] == names
    assert all(result.holds for result in results)
    # The golden tiles are ONNX Runtime's own.
    assert results[0].differences.keys() == {0}
    assert len({result.samples for result in results}) == 1


@pytest.mark.skipif(
    find_spec("tensorflow") is None, reason="tensorflow, an engine to compare with, is not here"
)
def test_tensorflow_agrees(bundle: Bundle) -> None:
    """In a process of its own: where tensorflow is loaded, torch crashes while it traces."""
    program = "from gdq_validate.cli.validate import main; main()"
    engines = "onnxruntime,litert,tensorflow,numpy"
    command = [sys.executable, "-c", program, str(bundle.path), "--engines", engines]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    names = [line.split()[0] for line in done.stdout.splitlines() if "golden tiles" in line]
    assert names == ["onnxruntime", "litert", "tensorflow", "gdq", "numpy"]


def test_pictures_are_compared_with_the_first_engine(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png_bytes(random_image(120, 140)))
    truths = list_ground_truth(tmp_path, bundle.manifest.network.scale)
    names = ["onnxruntime", "litert", "numpy"]
    (result,) = compare_pictures(bundle, names, truths, threads=1)
    assert (result.engine, result.reference) == ("litert", "onnxruntime, 1 picture")
    assert result.samples == 120 * 140 * 3
    assert result.holds


def test_what_is_not_here_is_left_out_or_refused(tmp_path: Path) -> None:
    only_onnx = Bundle.open(write_tiny_bundle(tmp_path / "bundle"))
    said: list[str] = []
    assert present_engines(only_onnx, "all", said.append) == ["onnxruntime", "numpy"]
    left_out = [line.split(":")[0] for line in said]
    assert left_out == [f"{name} is left out" for name in ("litert", "tensorflow", "gdq")]
    with pytest.raises(BundleError, match="litert"):
        present_engines(only_onnx, "litert", said.append)
    with pytest.raises(EngineError, match="unknown engine 'none'"):
        present_engines(only_onnx, "onnxruntime,none", said.append)


def test_one_engine_alone_is_compared_with_none(tmp_path: Path) -> None:
    bundle = Bundle.open(write_tiny_bundle(tmp_path / "bundle"))
    for names in (["numpy"], ["onnxruntime"], ["onnxruntime", "numpy"]):
        assert list(compare_pictures(bundle, names, [], None)) == []


def test_a_bundle_that_nothing_here_runs_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = Bundle.open(write_tiny_bundle(tmp_path / "bundle"))
    monkeypatch.setattr("gdq_validate.comparison.engine_names", lambda: ("none",))
    monkeypatch.delitem(sys.modules, "gdq_validate.engines.numpy_engine", raising=False)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(EngineError, match="no engine here runs"):
        present_engines(bundle, "all", lambda _: None)
