"""A graph as ONNX Runtime's optimizer leaves it."""

from __future__ import annotations

from pathlib import Path

import onnx_ir as ir
import onnxruntime as ort

from gdq_exporter.errors import ExportError

_LOG_ERRORS_ONLY = 3


def save_optimized(
    graph: Path,
    target: Path,
    level: ort.GraphOptimizationLevel = ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
    tile: int | None = None,
) -> None:
    """Load a written graph and save what ONNX Runtime would run.

    Args:
        graph: the ONNX file, with its weights beside it.
        target: the file to write; it refers to the graph's weights by name, without copying them.
        level: how far to optimize.
        tile: size to which all free dimensions are fixed; None leaves them free.

    Raises:
        ExportError: the graph cannot be loaded.
    """
    options = ort.SessionOptions()
    options.log_severity_level = _LOG_ERRORS_ONLY
    options.optimized_model_filepath = str(target)
    options.graph_optimization_level = level
    if tile is not None:
        for dimension in _free_dimensions(graph):
            options.add_free_dimension_override_by_name(dimension, tile)
    try:
        ort.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions share no narrower base
        reason = " ".join(str(error).split())[:300]
        raise ExportError(f"{graph.name}: ONNX Runtime refuses it: {reason}") from error


def _free_dimensions(graph: Path) -> set[str]:
    shapes = [value.shape or () for value in ir.load(graph).graph.inputs]
    return {
        str(dimension.value)
        for shape in shapes
        for dimension in shape
        if isinstance(dimension, ir.SymbolicDim) and dimension.value is not None
    }
