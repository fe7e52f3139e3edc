"""Entropy of a tile's luma, as the released implementation computes it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from gdq_exporter.targets.predictor_constants import STRIPS
from gdq_exporter.targets.tflite import operators
from gdq_exporter.targets.tflite.model_builder import GraphBuilder, Tensor
from gdq_models.predictor.entropy import BINS, KERNEL_SIGMA, LUMA_WEIGHTS


def add_entropy(graph: GraphBuilder, pixels: Tensor) -> Tensor:
    """Entropy in nats of the kernel density of luma over 32 bins (paper, section 3.3).

    Exponentials are computed as they are: a table over rounded luma would flip decisions.

    Args:
        graph: where the operators go.
        pixels: (1, side, side, 3) float of 0..255.

    Returns:
        (1,) float.
    """
    count = pixels.shape[1] * pixels.shape[2]
    # Lengths in units of the kernel's width times sqrt(2), so that the exponent is -distance^2.
    unit = np.sqrt(2) * KERNEL_SIGMA
    weights = graph.constant(np.array(LUMA_WEIGHTS)[None] / (255 * unit))
    luma = operators.linear(graph, operators.reshape(graph, pixels, count, 3), weights)
    bins = graph.constant(np.linspace(0, 1, BINS)[:, None] / unit)
    # Strip by strip, for the processor's cache.
    bounds = [count * strip // STRIPS for strip in range(STRIPS + 1)]
    row = operators.reshape(graph, luma, 1, count)
    strips = [operators.slice_(graph, row, 1, *ends) for ends in pairwise(bounds)]
    density = _density(graph, strips[0], bins)
    for strip in strips[1:]:
        density = operators.arithmetic(graph, "ADD", density, _density(graph, strip, bins))
    share = operators.arithmetic(graph, "DIV", density, operators.reduce(graph, "SUM", density, 0))
    # A bin that no pixel is near has density 0; its share of the entropy is 0, not 0 * log 0.
    positive = operators.arithmetic(graph, "MAXIMUM", share, graph.constant([1e-30]))
    logarithm = operators.unary(graph, "LOG", positive)
    terms = operators.arithmetic(graph, "MUL", positive, logarithm)
    total = operators.reduce(graph, "SUM", terms, 0)
    return operators.reshape(graph, operators.unary(graph, "NEG", total), 1)


def _density(graph: GraphBuilder, luma: Tensor, bins: Tensor) -> Tensor:
    """(32, 1): the sum of the kernels of (1, N) pixels at each bin."""
    squares = operators.arithmetic(graph, "SQUARED_DIFFERENCE", luma, bins)
    kernel = operators.unary(graph, "EXP", operators.unary(graph, "NEG", squares))
    return operators.reduce(graph, "SUM", kernel, 1)
