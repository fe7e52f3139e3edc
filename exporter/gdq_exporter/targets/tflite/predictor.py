"""The patch-bit predictor as a TFLite graph; for the formulas see ``targets/onnx/predictor``.

Its decision (comparisons, a look-up) is a few scalars on plain kernels; XNNPACK has no such
operators. The rest has no convolution either.
"""

from __future__ import annotations

import numpy as np

from gdq_exporter.targets.onnx.predictor import BIT_WIDTH, ENTROPY, LOGITS
from gdq_exporter.targets.tflite import decision, entropy, gate_group_norm, gate_linear, operators
from gdq_exporter.targets.tflite.model_builder import PIXELS, GraphBuilder
from gdq_exporter.trace import INPUT
from gdq_models.predictor.parameters import PredictorParameters


def add_predictor(graph: GraphBuilder, parameters: PredictorParameters, tile: int) -> None:
    """Write the predictor for tiles of one size.

    In: ``tile`` (1, tile, tile, 3) uint8. Out: ``logits`` (1, 3) float32 for the gate's three
    widths, ``entropy`` (1,) float32 in nats, ``bit_width`` (1,) int64.
    """
    codes = graph.input(INPUT, (1, tile, tile, 3), np.uint8, PIXELS)
    pixels = operators.dequantize(graph, codes)
    gate = gate_linear if parameters.gate == "linear" else gate_group_norm
    logits = gate.add_gate(graph, pixels, parameters)
    nats = entropy.add_entropy(graph, pixels)
    bits = decision.add_decision(graph, logits, nats, parameters)
    graph.finish({LOGITS: logits, ENTROPY: nats, BIT_WIDTH: bits})
