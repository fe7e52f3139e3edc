"""A bundle of a few hundred bytes, written without the exporter, whose routing can be seen.

Subgraph b: every pixel becomes scale x scale pixels of value min(pixel + b, 255).
Predictor: mean brightness m below 64, 128, 192 or above gives 4, 5, 6 or 8 bits;
logits are -(m - c)^2 for c = 40, 128, 215 and entropy is m / 255.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Image = NDArray[np.uint8]


def upscale(image: Image, bit_width: int, scale: int = 2) -> Image:
    """NumPy reference of a subgraph."""
    brighter = np.minimum(image.astype(int) + bit_width, 255).astype(np.uint8)
    enlarged: Image = brighter.repeat(scale, axis=0).repeat(scale, axis=1)
    return enlarged


def predict(tile: Image) -> int:
    """NumPy reference of the predictor's decision."""
    mean = tile.astype(np.float32).mean(dtype=np.float64)
    return 4 + int(mean >= 64) + int(mean >= 128) + 2 * int(mean >= 192)


def write_tiny_bundle(
    folder: Path,
    *,
    scale: int = 2,
    tile: int = 16,
    overlap: int = 4,
    bit_widths: Sequence[int] = (4, 5, 6, 8),
) -> Path:
    folder.mkdir(parents=True)
    onnx.save(_predictor(), folder / "predictor.onnx")
    for bit_width in bit_widths:
        onnx.save(_subgraph(bit_width, scale), folder / f"{bit_width}.onnx")
    write_manifest(folder, tiny_manifest(folder, scale, tile, overlap, bit_widths))
    return folder


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def read_manifest(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return manifest


def seal(folder: Path) -> None:
    """Lists all files anew, so that a changed file passes the check of hashes."""
    manifest = read_manifest(folder)
    manifest["files"] = _entries(folder)
    write_manifest(folder, manifest)


def tiny_manifest(
    folder: Path, scale: int, tile: int, overlap: int, bit_widths: Sequence[int]
) -> dict[str, Any]:
    picture = {"name": "tile", "dtype": "uint8", "shape": [1, "height", "width", 3]}
    return {
        "schema_version": 4,
        "formats": ["onnx"],
        "network": {
            "name": "nearest",
            "scale": scale,
            "parameters": 1,
            "quantized_macs_per_pixel": 0,
            "float_macs_per_pixel": 0,
        },
        "profile": "test",
        "tiling": {"size": tile, "overlap": overlap},
        "predictor": {
            "onnx": "predictor.onnx",
            "inputs": [picture],
            "outputs": [
                {"name": "logits", "dtype": "float32", "shape": [1, 3]},
                {"name": "entropy", "dtype": "float32", "shape": [1]},
                {"name": "bit_width", "dtype": "int64", "shape": [1]},
            ],
            "gate": "linear",
            "gate_bit_widths": [4, 6, 8],
            "e2b": {"thresholds": [1.0, 2.0], "bit_widths": [4, 5, 8]},
        },
        "subgraphs": [
            {
                "bit_width": bit_width,
                "onnx": f"{bit_width}.onnx",
                "inputs": [picture],
                "outputs": [{"name": "output", "dtype": "uint8", "shape": [1, "h", "w", 3]}],
            }
            for bit_width in bit_widths
        ],
        "golden": [],
        "agreement": {},
        "calibration": {"source": "none", "images": 1, "tiles": 1},
        "checkpoint": {"name": "none", "sha256": "0" * 64},
        "tools": {"onnx": onnx.__version__},
        "files": _entries(folder),
    }


def _entries(folder: Path) -> list[dict[str, Any]]:
    return [
        {
            "path": path.relative_to(folder).as_posix(),
            "size": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    ]


def _subgraph(bit_width: int, scale: int) -> onnx.ModelProto:
    nodes = [
        helper.make_node("Cast", ["tile"], ["wide"], to=TensorProto.INT32),
        helper.make_node("Add", ["wide", "bit_width"], ["brighter"]),
        helper.make_node("Min", ["brighter", "top"], ["clipped"]),
        helper.make_node("Cast", ["clipped"], ["narrow"], to=TensorProto.UINT8),
        helper.make_node(
            "Resize",
            ["narrow", "", "scales"],
            ["output"],
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        ),
    ]
    constants = {
        "bit_width": np.int32(bit_width),
        "top": np.int32(255),
        "scales": np.array([1, scale, scale, 1], dtype=np.float32),
    }
    output = helper.make_tensor_value_info("output", TensorProto.UINT8, [1, "h", "w", 3])
    return _model(nodes, constants, [output])


def _predictor() -> onnx.ModelProto:
    nodes = [
        helper.make_node("Cast", ["tile"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["real"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Div", ["mean", "white"], ["entropy"]),
        helper.make_node("Unsqueeze", ["mean", "last_axis"], ["column"]),
        helper.make_node("Sub", ["column", "centres"], ["distance"]),
        helper.make_node("Mul", ["distance", "distance"], ["square"]),
        helper.make_node("Neg", ["square"], ["logits"]),
        helper.make_node("GreaterOrEqual", ["column", "thresholds"], ["above"]),
        helper.make_node("Cast", ["above"], ["ones"], to=TensorProto.INT64),
        helper.make_node("Mul", ["ones", "weights"], ["weighted"]),
        helper.make_node("ReduceSum", ["weighted", "last_axis"], ["extra"], keepdims=0),
        helper.make_node("Add", ["extra", "four"], ["bit_width"]),
    ]
    constants = {
        "white": np.float32(255),
        "last_axis": np.array([1], dtype=np.int64),
        "centres": np.array([40, 128, 215], dtype=np.float32),
        "thresholds": np.array([64, 128, 192], dtype=np.float32),
        "weights": np.array([1, 1, 2], dtype=np.int64),
        "four": np.array([4], dtype=np.int64),
    }
    outputs = [
        helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 3]),
        helper.make_tensor_value_info("entropy", TensorProto.FLOAT, [1]),
        helper.make_tensor_value_info("bit_width", TensorProto.INT64, [1]),
    ]
    return _model(nodes, constants, outputs)


def _model(
    nodes: list[onnx.NodeProto],
    constants: dict[str, Any],
    outputs: list[onnx.ValueInfoProto],
) -> onnx.ModelProto:
    picture = helper.make_tensor_value_info("tile", TensorProto.UINT8, [1, "height", "width", 3])
    initializers = [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()]
    graph = helper.make_graph(nodes, "tiny", [picture], outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def add_dial(folder: Path, signal: str = "entropy") -> None:
    """Gives a tiny bundle a dial and a bound for flat tiles; entropy is mean brightness / 255."""
    manifest = read_manifest(folder)
    ends = [{"fab": 4, "loss_db": 0.4}, {"fab": 8, "loss_db": 0}]
    manifest["trade_off"] = {
        "tiles": 2,
        "signal": signal,
        "bin_edges": [0.5],
        "points": [
            {"fab": 4, "loss_db": 0.4, "bit_widths": [4, 4]},
            {"fab": 6, "loss_db": 0.1, "bit_widths": [4, 8]},
            {"fab": 8, "loss_db": 0, "bit_widths": [8, 8]},
        ],
        "predictor": {"fab": 5.5, "loss_db": 0.2},
        "fixed": ends,
        "curves": dict.fromkeys(("gate_margin", "entropy", "random", "oracle"), ends),
    }
    manifest["flat_tiles"] = {"largest_gradient": 1.0, "share": 0.2, "loss_db": 0.01}
    write_manifest(folder, manifest)
