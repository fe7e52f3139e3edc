"""From logits and entropy to a bit-width; operators of plain kernels, on a few numbers."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from gdq_exporter.targets.tflite import operators
from gdq_exporter.targets.tflite.model_builder import GraphBuilder, Tensor
from gdq_models.predictor.parameters import PredictorParameters


def add_decision(
    graph: GraphBuilder, logits: Tensor, nats: Tensor, parameters: PredictorParameters
) -> Tensor:
    """Choose by the largest logit; at the largest width, by entropy (paper, section 3.3).

    Args:
        graph: where the operators go.
        logits: (1, 3).
        nats: (1,), the entropy.
        parameters: thresholds and widths.

    Returns:
        (1,) int64.
    """
    choice = _arg_max(graph, logits)
    by_gate = _gather(graph, parameters.gate_bit_widths, choice)
    level = _levels_exceeded(graph, nats, graph.constant(parameters.e2b_thresholds))
    by_entropy = _gather(graph, parameters.e2b_bit_widths, level)
    largest = graph.constant([np.argmax(parameters.gate_bit_widths)], np.int32)
    is_largest = graph.op(
        "EQUAL", [choice, largest], (1,), np.bool_, options=schema.EqualOptionsT()
    )
    return graph.op(
        "SELECT_V2",
        [is_largest, by_entropy, by_gate],
        (1,),
        np.int64,
        options=schema.SelectV2OptionsT(),
    )


def _arg_max(graph: GraphBuilder, logits: Tensor) -> Tensor:
    options = schema.ArgMaxOptionsT()
    options.outputType = schema.TensorType.INT32
    axis = graph.constant([1], np.int32)
    return graph.op("ARG_MAX", [logits, axis], (1,), np.int32, options=options)


def _gather(graph: GraphBuilder, widths: tuple[int, ...], index: Tensor) -> Tensor:
    options = schema.GatherOptionsT()
    options.axis = options.batchDims = 0
    table = graph.constant(widths, np.int64)
    return graph.op("GATHER", [table, index], (1,), np.int64, options=options)


def _levels_exceeded(graph: GraphBuilder, nats: Tensor, thresholds: Tensor) -> Tensor:
    """Count the thresholds that lie below the entropy."""
    shape = thresholds.shape
    exceeded = graph.op(
        "GREATER", [nats, thresholds], shape, np.bool_, options=schema.GreaterOptionsT()
    )
    options = schema.CastOptionsT()
    options.inDataType, options.outDataType = schema.TensorType.BOOL, schema.TensorType.INT32
    counted = graph.op("CAST", [exceeded], shape, np.int32, options=options)
    return operators.reduce(graph, "SUM", counted, 0)
