"""Entropy of a tile's luma, as the released implementation computes it."""

from __future__ import annotations

from itertools import pairwise

from gdq_exporter.targets.predictor_constants import (
    SMALLEST_SHARE,
    STRIPS,
    luma_bins,
    luma_weights,
)
from gdq_exporter.targets.tflite import operators
from gdq_exporter.targets.tflite.model_builder import GraphBuilder, Tensor


def add_entropy(graph: GraphBuilder, pixels: Tensor) -> Tensor:
    """Add the entropy in nats of the kernel density of luma over 32 bins (paper, section 3.3).

    Exponentials are computed as they are: a table over rounded luma would flip decisions.

    Args:
        graph: where the operators go.
        pixels: (1, side, side, 3) float of 0..255.

    Returns:
        (1,) float.
    """
    count = pixels.shape[1] * pixels.shape[2]
    weights = graph.constant(luma_weights()[None])
    luma = operators.linear(graph, operators.reshape(graph, pixels, count, 3), weights)
    bins = graph.constant(luma_bins()[:, None])
    # Strip by strip, for the processor's cache.
    bounds = [count * strip // STRIPS for strip in range(STRIPS + 1)]
    row = operators.reshape(graph, luma, 1, count)
    strips = [operators.slice_(graph, row, 1, *ends) for ends in pairwise(bounds)]
    density = _density(graph, strips[0], bins)
    for strip in strips[1:]:
        density = operators.arithmetic(graph, "ADD", density, _density(graph, strip, bins))
    share = operators.arithmetic(graph, "DIV", density, operators.reduce(graph, "SUM", density, 0))
    positive = operators.arithmetic(graph, "MAXIMUM", share, graph.constant([SMALLEST_SHARE]))
    logarithm = operators.unary(graph, "LOG", positive)
    terms = operators.arithmetic(graph, "MUL", positive, logarithm)
    total = operators.reduce(graph, "SUM", terms, 0)
    return operators.reshape(graph, operators.unary(graph, "NEG", total), 1)


def _density(graph: GraphBuilder, luma: Tensor, bins: Tensor) -> Tensor:
    """Return the sum (32, 1) of the kernels of (1, N) pixels at each bin."""
    squares = operators.arithmetic(graph, "SQUARED_DIFFERENCE", luma, bins)
    kernel = operators.unary(graph, "EXP", operators.unary(graph, "NEG", squares))
    return operators.reduce(graph, "SUM", kernel, 1)
