"""The gate as released: a linear map of the head features' mean, from box sums of the tile."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gdq_exporter.targets.predictor_constants import BLOCK, linear_gate
from gdq_exporter.targets.tflite import operators
from gdq_exporter.targets.tflite.model_builder import GraphBuilder, Tensor
from gdq_models.predictor.parameters import PredictorParameters


def add_gate(graph: GraphBuilder, pixels: Tensor, parameters: PredictorParameters) -> Tensor:
    """Add the released gate, whose three granularities have the same mean; return logits (1, 3).

    That mean runs over the top-left multiple of four pixels, which is all that pooling keeps.

    Args:
        graph: where the operators go.
        pixels: (1, side, side, 3) float of 0..255.
        parameters: of a ``linear`` gate.
    """
    kernel, side = parameters.head_weight.shape[-1], pixels.shape[1]
    if np.any(parameters.mean):
        mean = graph.constant(parameters.mean)
        pixels = operators.arithmetic(graph, "SUB", pixels, mean)
    boxes = box_matrix(side, kernel)
    rows = operators.reshape(graph, pixels, 1, side, side * 3)
    row_sums = operators.matmul(graph, graph.constant(boxes[None]), rows)
    columns = operators.reshape(graph, row_sums, kernel, side, 3)
    # The same matrix for every row of the kernel: not every kernel broadcasts a batch.
    repeated = graph.constant(np.repeat(boxes[None], kernel, axis=0))
    sums = operators.matmul(graph, repeated, columns)
    weight, bias = linear_gate(parameters)
    pooled = side // BLOCK * BLOCK
    return operators.linear(
        graph,
        operators.reshape(graph, sums, 1, kernel * kernel * 3),
        graph.constant(weight / pooled**2),
        graph.constant(bias),
    )


def box_matrix(side: int, kernel: int) -> NDArray[np.float32]:
    """Return (kernel, side) zeros and ones: which pixels the conv's tap at each offset sums."""
    offsets = np.arange(kernel)[:, None] - kernel // 2
    outputs = np.arange(side) - offsets
    return ((outputs >= 0) & (outputs < side // BLOCK * BLOCK)).astype(np.float32)
