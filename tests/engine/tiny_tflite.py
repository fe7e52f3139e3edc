"""The networks of the tiny bundle as a TFLite file: every kernel makes them equal in all bits."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from gdq_exporter.targets.tflite.model_builder import ModelBuilder


def tiny_tflite(
    bit_widths: tuple[int, ...], side: int, scale: int, number: type[np.number] = np.int32
) -> bytes:
    """A file with a signature ``bitsB`` for each width, which computes with this type."""
    model = ModelBuilder()
    for bits in bit_widths:
        graph = model.graph(f"bits{bits}")
        low, high = (1, side, side, 3), (1, side * scale, side * scale, 3)
        wide = graph.op("CAST", [graph.input("tile", low, np.uint8)], low, number)
        added = [wide, graph.constant(bits, number)]
        brighter = graph.op("ADD", added, low, number, options=schema.AddOptionsT())
        top = [brighter, graph.constant(255, number)]
        clipped = graph.op("MINIMUM", top, low, number)
        narrow = graph.op("CAST", [clipped], low, np.uint8)
        size = graph.constant([side * scale, side * scale], np.int32)
        options = schema.ResizeNearestNeighborOptionsT()
        output = graph.op(
            "RESIZE_NEAREST_NEIGHBOR", [narrow, size], high, np.uint8, options=options
        )
        graph.finish({"picture": output})
    return model.to_bytes()
