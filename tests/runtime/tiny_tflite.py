"""The graphs of the tiny bundle as TFLite: the same functions of pixels, see ``tiny_bundle``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from gdq_exporter.targets.tflite import operators
from gdq_exporter.targets.tflite.model_builder import PIXELS, GraphBuilder, ModelBuilder, Tensor
from runtime.tiny_bundle import read_manifest, seal, write_manifest, write_tiny_bundle

FILE = "graphs.tflite"


def write_tiny_tflite_bundle(folder: Path, *, scale: int = 2, tile: int = 16) -> Path:
    """A tiny bundle whose graphs are there as TFLite only."""
    write_tiny_bundle(folder, scale=scale, tile=tile)
    for path in folder.glob("*.onnx"):
        path.unlink()
    (folder / FILE).write_bytes(tiny_graphs(scale, tile))
    manifest = read_manifest(folder)
    manifest["formats"] = ["tflite"]
    for graph in (manifest["predictor"], *manifest["subgraphs"]):
        signature = f"bits{graph['bit_width']}" if "bit_width" in graph else "predictor"
        graph["onnx"], graph["tflite"] = None, {"file": FILE, "signature": signature}
    write_manifest(folder, manifest)
    seal(folder)
    return folder


def tiny_graphs(scale: int, tile: int) -> bytes:
    model = ModelBuilder()
    for bit_width in (4, 5, 6, 8):
        _add_subgraph(model.graph(f"bits{bit_width}"), bit_width, scale, tile)
    _add_predictor(model.graph("predictor"), tile)
    return model.to_bytes()


def _pixels(graph: GraphBuilder, tile: int) -> Tensor:
    codes = graph.input("tile", (1, tile, tile, 3), np.uint8, PIXELS)
    return operators.dequantize(graph, codes)


def _add_subgraph(graph: GraphBuilder, bit_width: int, scale: int, tile: int) -> None:
    pixels = _pixels(graph, tile)
    brighter = operators.arithmetic(graph, "ADD", pixels, graph.constant([bit_width]))
    copies = operators.concatenate(graph, [brighter] * scale**2, 3)
    larger = operators.depth_to_space(graph, copies, scale)
    graph.finish({"output": operators.quantize(graph, larger, PIXELS, np.uint8)})


def _add_predictor(graph: GraphBuilder, tile: int) -> None:
    averaged = operators.reduce(graph, "MEAN", _pixels(graph, tile), 1, 2, 3)
    mean = operators.reshape(graph, averaged, 1, 1)
    centres = graph.constant([[40, 128, 215]])
    squares = operators.arithmetic(graph, "SQUARED_DIFFERENCE", mean, centres)
    share = operators.arithmetic(graph, "DIV", mean, graph.constant([[255]]))
    thresholds = graph.constant([[64, 128, 192]])
    above = graph.op(
        "GREATER_EQUAL", [mean, thresholds], (1, 3), np.bool_, options=schema.GreaterEqualOptionsT()
    )
    ones = graph.op("CAST", [above], (1, 3), options=_cast("BOOL", "FLOAT32"))
    weighted = operators.linear(graph, ones, graph.constant([[1, 1, 2]]), graph.constant([4]))
    row = operators.reshape(graph, weighted, 1)
    bits = graph.op("CAST", [row], (1,), np.int64, options=_cast("FLOAT32", "INT64"))
    graph.finish(
        {
            "logits": operators.unary(graph, "NEG", squares),
            "entropy": operators.reshape(graph, share, 1),
            "bit_width": bits,
        }
    )


def _cast(source: str, target: str) -> schema.CastOptionsT:
    options = schema.CastOptionsT()
    options.inDataType = getattr(schema.TensorType, source)
    options.outDataType = getattr(schema.TensorType, target)
    return options
