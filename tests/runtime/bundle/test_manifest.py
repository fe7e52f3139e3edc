from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gdq_runtime.bundle.manifest import Manifest
from runtime.tiny_bundle import read_manifest, write_tiny_bundle


@pytest.fixture
def manifest(tmp_path: Path) -> dict[str, Any]:
    return read_manifest(write_tiny_bundle(tmp_path / "bundle"))


def test_a_sound_manifest(manifest: dict[str, Any]) -> None:
    parsed = Manifest.model_validate(manifest)
    assert Manifest.model_validate_json(parsed.model_dump_json()) == parsed


def test_a_graph_may_be_there_in_two_formats(manifest: dict[str, Any]) -> None:
    manifest["formats"].append("tflite")
    manifest["files"].append({"path": "all.tflite", "size": 1, "sha256": "0" * 64})
    for number, graph in enumerate([manifest["predictor"], *manifest["subgraphs"]]):
        graph["tflite"] = {"file": "all.tflite", "signature": str(number)}
    assert Manifest.model_validate(manifest).formats == ["onnx", "tflite"]


def test_our_engine_s_file_holds_all_graphs(manifest: dict[str, Any]) -> None:
    add_engine(manifest)
    parsed = Manifest.model_validate(manifest)
    assert {graph.engine for graph in (parsed.predictor, *parsed.subgraphs)} == {"model.gdq"}


def add_engine(manifest: dict[str, Any], *, subgraphs: int | None = None) -> None:
    """Adds the format to a manifest, to some or all of its subgraphs."""
    manifest["formats"].append("engine")
    manifest["files"].append({"path": "model.gdq", "size": 1, "sha256": "0" * 64})
    for graph in (manifest["predictor"], *manifest["subgraphs"][:subgraphs]):
        graph["engine"] = "model.gdq"


def add_unlisted_engine(manifest: dict[str, Any]) -> None:
    add_engine(manifest)
    manifest["files"].pop()


def add_golden(manifest: dict[str, Any], outputs: list[str], bounds: list[str]) -> None:
    """One golden tile, its files listed, with outputs in some formats and bounds of some."""
    manifest["files"].append({"path": "golden.png", "size": 1, "sha256": "0" * 64})
    manifest["golden"] = [
        {
            "tile": "golden.png",
            "logits": [0, 0, 0],
            "entropy": 0,
            "bit_width": 4,
            "outputs": {name: {"4": "golden.png"} for name in outputs},
        }
    ]
    manifest["agreement"] = {name: [{"levels": 1, "share": 1e-3}] for name in bounds}


def test_golden_tiles_have_outputs_and_bounds_by_format(manifest: dict[str, Any]) -> None:
    add_golden(manifest, ["onnx"], ["onnx"])
    parsed = Manifest.model_validate(manifest)
    assert parsed.golden[0].outputs == {"onnx": {"4": "golden.png"}}
    assert parsed.agreement["onnx"][0].levels == 1


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "tile size must be a multiple of 4": lambda m: m["tiling"].update(size=98),
    "overlap must be at most half of the tile": lambda m: m["tiling"].update(overlap=9),
    "thresholds must not decrease": lambda m: m["predictor"]["e2b"].update(thresholds=[2, 1]),
    "a bit-width has two subgraphs": lambda m: m["subgraphs"][0].update(bit_width=5),
    "a file is listed twice": lambda m: m["files"].append(m["files"][0]),
    "'x' is used but not listed under files": lambda m: m["predictor"].update(onnx="x"),
    r"a golden tile has outputs in \['onnx'\], but there are bounds for \[\]": lambda m: add_golden(
        m, ["onnx"], []
    ),
    "agreement has a bound for 'engine', which is not a format": lambda m: add_golden(
        m, ["engine"], ["engine"]
    ),
    "leaves the bundle's folder": lambda m: m["predictor"].update(onnx="../x"),
    "a format is listed twice": lambda m: m["formats"].append("onnx"),
    r"a graph exists in \['onnx'\], not in \['tflite'\]": lambda m: m.update(formats=["tflite"]),
    r"a graph exists in \[\], not in \['onnx'\]": lambda m: m["predictor"].pop("onnx"),
    r"a graph exists in \['onnx', 'tflite'\], not": lambda m: m["predictor"].update(
        tflite={"file": "x", "signature": "predictor"}
    ),
    r"a graph exists in \['onnx'\], not in \['engine', 'onnx'\]": lambda m: add_engine(
        m, subgraphs=1
    ),
    r"a graph exists in \['engine', 'onnx'\], not in \['onnx'\]": lambda m: m["subgraphs"][
        0
    ].update(engine="model.gdq"),
    "'model.gdq' is used but not listed": lambda m: add_unlisted_engine(m),
    "Extra inputs are not permitted": lambda m: m.update(novelty=1),
    "Input should be 4, 5, 6 or 8": lambda m: m["subgraphs"][0].update(bit_width=7),
    "Input should be a finite number": lambda m: m["predictor"]["e2b"].update(
        thresholds=[1, float("inf")]
    ),
}


@pytest.mark.parametrize("sentence", CHANGES)
def test_contradictions_are_refused(manifest: dict[str, Any], sentence: str) -> None:
    CHANGES[sentence](manifest)
    with pytest.raises(ValidationError, match=sentence):
        Manifest.model_validate(manifest)
