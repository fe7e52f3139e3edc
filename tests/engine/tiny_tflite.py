"""The networks of the tiny bundle as a TFLite file: every kernel makes them equal in all bits."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from gdq_exporter.targets.tflite.model_builder import ModelBuilder


def tiny_tflite(bit_widths: tuple[int, ...], side: int, scale: int) -> bytes:
    """A file with a signature ``bitsB`` for each width."""
    model = ModelBuilder()
    for bits in bit_widths:
        graph = model.graph(f"bits{bits}")
        low, high = (1, side, side, 3), (1, side * scale, side * scale, 3)
        wide = graph.op("CAST", [graph.input("tile", low, np.uint8)], low, np.int32)
        added = [wide, graph.constant(bits, np.int32)]
        brighter = graph.op("ADD", added, low, np.int32, options=schema.AddOptionsT())
        top = [brighter, graph.constant(255, np.int32)]
        clipped = graph.op("MINIMUM", top, low, np.int32)
        narrow = graph.op("CAST", [clipped], low, np.uint8)
        size = graph.constant([side * scale, side * scale], np.int32)
        options = schema.ResizeNearestNeighborOptionsT()
        output = graph.op(
            "RESIZE_NEAREST_NEIGHBOR", [narrow, size], high, np.uint8, options=options
        )
        graph.finish({"picture": output})
    return model.to_bytes()
