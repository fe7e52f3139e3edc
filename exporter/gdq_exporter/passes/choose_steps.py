"""Calibrated steps where training learned none."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx_ir as ir

from gdq_exporter.ir import editing, forms, quantization
from gdq_exporter.ir.quantization import QuantizationPoint

IMAGE_POINT = QuantizationPoint(step=np.float32(1), zero_point=0)
"""Of the network's output: an image of 0..255, whose codes are its pixels."""


class ChooseStepsPass(ir.passes.InPlacePass):
    """Quantizes the inputs and outputs of integer convs that training left in float.

    An integer conv runs as one only if a quantized tensor goes in and a quantized tensor comes
    out. Where the neighbour is a learned quantizer nothing is added; elsewhere the calibrated
    8-bit step is. A pixel shuffle moves codes, so both its sides carry the same step.
    """

    def __init__(self, points: Mapping[str, QuantizationPoint]) -> None:
        """Args: points: value name -> its quantization, for each of ``unquantized``."""
        self._points = points

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Insert every missing quantization."""
        values = unquantized(model)
        images = [
            conv.outputs[0]
            for conv in forms.integer_convs(model)
            if conv.outputs[0].is_graph_output()
        ]
        for value in values:
            assert value.name is not None
            _quantize(model, value, self._points[value.name])
        for image in images:
            _quantize(model, image, IMAGE_POINT)
        return ir.passes.PassResult(model, bool(values or images))

    def requires(self, model: ir.Model) -> None:
        """Every value that needs a quantization was calibrated."""
        for value in unquantized(model):
            if value.name not in self._points:
                raise ir.passes.PreconditionError(f"{value.name!r} was not calibrated")

    def ensures(self, model: ir.Model) -> None:
        """Every integer conv reads and writes quantized tensors."""
        if left := unquantized(model):
            raise ir.passes.PostconditionError(f"{left[0].name!r} has no quantization")


def unquantized(model: ir.Model) -> list[ir.Value]:
    """Return the float values at integer convs that still need a step, in graph order."""
    found: dict[ir.Value, None] = {}
    for conv in forms.integer_convs(model):
        source = _behind_shuffles(editing.input_of(conv, 0))
        if quantization.read(source) is None:
            found[source] = None
        output = forms.behind_relu(conv.outputs[0])
        if not output.is_graph_output() and not _only_quantized(output):
            found[output] = None
    return list(found)


def _behind_shuffles(value: ir.Value) -> ir.Value:
    """Return the value whose codes a chain of pixel shuffles moves."""
    producer = value.producer()
    while producer is not None and editing.is_op(producer, "DepthToSpace"):
        value = editing.input_of(producer, 0)
        source = quantization.read(value)
        if source is not None:
            return value
        producer = value.producer()
    return value


def _only_quantized(value: ir.Value) -> bool:
    return all(editing.is_op(reader, "QuantizeLinear") for reader in editing.consumers(value))


def _quantize(model: ir.Model, value: ir.Value, point: QuantizationPoint) -> None:
    quantized = quantization.insert_behind(model, value, point)
    for reader in editing.consumers(quantized):
        if editing.is_op(reader, "DepthToSpace"):
            _quantize(model, reader.outputs[0], point)
