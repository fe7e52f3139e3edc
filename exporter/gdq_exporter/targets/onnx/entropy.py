"""Entropy of a tile's luma, as the released implementation computes it."""

from __future__ import annotations

import onnx_ir as ir

from gdq_exporter.targets.onnx.graph_builder import GraphBuilder
from gdq_exporter.targets.predictor_constants import (
    SMALLEST_SHARE,
    STRIPS,
    luma_bins,
    luma_weights,
)


def add_entropy(graph: GraphBuilder, tile: ir.Value, height: ir.Value, width: ir.Value) -> ir.Value:
    """Add the entropy in nats of the kernel density of luma over 32 bins (paper, section 3.3).

    Exponentials are computed as they are: a table over rounded luma would flip decisions.

    Args:
        graph: where the operators go.
        tile: (1, height, width, 3) uint8.
        height: (1,) int64.
        width: (1,) int64. Of a tile that is not square, the top-left square counts, as released.

    Returns:
        (1,) float32.
    """
    side = graph.op("Min", height, width)
    sides, corner = graph.op("Concat", side, side, axis=0), graph.int64(0, 0)
    square = graph.op("Slice", tile, corner, sides, graph.int64(1, 2))
    pixels = graph.op("Cast", square, to=int(ir.DataType.FLOAT))
    weights = graph.float32(luma_weights()[:, None])
    luma = graph.op("MatMul", graph.op("Reshape", pixels, graph.int64(-1, 3)), weights)
    row = graph.op("Reshape", luma, graph.int64(1, -1))
    bins = graph.float32(luma_bins()[:, None])
    # Strip by strip, for the processor's cache.
    densities = [_density(graph, strip, bins) for strip in graph.split(row, STRIPS, axis=1)]
    density = graph.op("Sum", *densities)
    total = graph.op("ReduceSum", density, graph.int64(0), keepdims=1)
    share = graph.op("Max", graph.op("Div", density, total), graph.float32(SMALLEST_SHARE))
    terms = graph.op("Mul", share, graph.op("Log", share))
    return graph.op("Neg", graph.op("ReduceSum", terms, graph.int64(0), keepdims=1))


def _density(graph: GraphBuilder, luma: ir.Value, bins: ir.Value) -> ir.Value:
    """Return the sum (32,) of the kernels of (1, N) pixels at each bin."""
    # Bins down, pixels across: long rows broadcast and sum four times as fast as short ones.
    distance = graph.op("Sub", luma, bins)
    exponent = graph.op("Neg", graph.op("Mul", distance, distance))
    return graph.op("ReduceSum", graph.op("Exp", exponent), graph.int64(1), keepdims=0)
