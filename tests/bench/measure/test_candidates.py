from __future__ import annotations

import sys
from pathlib import Path

import pytest

from core.made_pictures import png_bytes, random_image
from gdq_bench.measure.candidates import candidate_names, open_candidates
from gdq_core.bit_widths import FLOAT
from gdq_core.errors import BundleError, EngineError
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.registry import engine_names
from runtime.tiny_bundle import (
    predict,
    read_manifest,
    seal,
    upscale,
    write_manifest,
    write_tiny_bundle,
)
from runtime.tiny_tflite import write_tiny_tflite_bundle


def refuse(sentence: str) -> None:
    raise AssertionError(sentence)


def test_every_engine_of_the_runtime_and_openvino_take_part() -> None:
    assert set(candidate_names()) == {*engine_names(), "openvino"}


def test_engines_open_in_the_order_they_are_named(bundle: Bundle, tmp_path: Path) -> None:
    said: list[str] = []
    with open_candidates(bundle, "litert,onnxruntime,litert", tmp_path, said.append) as opened:
        assert [one.engine.name for one in opened] == ["litert", "onnxruntime"]
        assert [one.widths for one in opened] == [(4, 5, 6, 8), (4, 5, 6, 8, FLOAT)]
        assert all(one.agreement.holds for one in opened)
    (sentence,) = said
    assert sentence.startswith("litert runs no network in float")


def test_all_leaves_out_what_is_not_here(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.delitem(sys.modules, "gdq_bench.measure.engines.openvino", raising=False)
    said: list[str] = []
    with open_candidates(bundle, "all", tmp_path, said.append) as opened:
        assert "onnxruntime" in [one.engine.name for one in opened]
    (sentence,) = [one for one in said if one.startswith("openvino is left out")]
    assert sentence.endswith("pip install openvino")
    with pytest.raises(EngineError, match="pip install openvino"):
        open_candidates(bundle, "openvino", tmp_path, refuse).__enter__()


def test_float_is_left_out_without_onnx(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.delitem(sys.modules, "gdq_bench.measure.float_network", raising=False)
    said: list[str] = []
    with open_candidates(bundle, "onnxruntime", tmp_path, said.append) as (only,):
        assert only.widths == (4, 5, 6, 8)
    assert "needs the package onnx" in said[0]


@pytest.mark.parametrize("wanted", ["none", "onnxruntime,none", "", "onnxruntime,"])
def test_unknown_engines_are_refused(bundle: Bundle, wanted: str, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"unknown engine '.*'; choose one of onnxruntime, .*"):
        open_candidates(bundle, wanted, tmp_path, refuse).__enter__()


def test_a_bundle_without_golden_tiles_is_refused(tmp_path: Path) -> None:
    bundle = Bundle.open(write_tiny_bundle(tmp_path / "bundle"))
    with pytest.raises(BundleError, match="no golden tiles to measure with: export it again"):
        open_candidates(bundle, "all", tmp_path, refuse).__enter__()


def test_a_bundle_of_one_format_runs_on_its_engine(tmp_path: Path) -> None:
    """Without ONNX there is no baseline and nothing to make a float network of."""
    tflite = Bundle.open(write_with_golden_tile(tmp_path / "bundle"))
    said: list[str] = []
    with open_candidates(tflite, "all", tmp_path, said.append) as (only,):
        assert (only.engine.name, only.widths) == ("litert", (4, 5, 6, 8))
    assert "onnxruntime is left out" in said[0]
    assert all("left out" in sentence for sentence in said)
    with pytest.raises(BundleError, match="no graphs for engine 'onnxruntime'"):
        open_candidates(tflite, "onnxruntime", tmp_path, refuse).__enter__()


def write_with_golden_tile(folder: Path) -> Path:
    write_tiny_tflite_bundle(folder)
    tile = random_image(16, 16)
    (folder / "tile.png").write_bytes(png_bytes(tile))
    (folder / "out.png").write_bytes(png_bytes(upscale(tile, 4)))
    manifest = read_manifest(folder)
    manifest["golden"] = [
        {
            "tile": "tile.png", "logits": [0, 0, 0], "entropy": 0, "bit_width": predict(tile),
            "outputs": {"tflite": {"4": "out.png"}},
        }
    ]  # fmt: skip
    manifest["agreement"] = {"tflite": [{"levels": 1, "share": 1e-3}]}
    write_manifest(folder, manifest)
    seal(folder)
    return folder
