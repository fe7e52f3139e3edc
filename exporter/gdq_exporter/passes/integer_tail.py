"""Convolutions between the quantized body and the pixels, made integer after training."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from gdq_exporter.ir import editing, forms, operators, rewriting
from gdq_exporter.ir.forms import Layer

_TINY = np.finfo(np.float32).tiny


class IntegerTailPass(ir.passes.InPlacePass):
    """Gives 8-bit weights, one step per output channel, to float convs behind an integer one.

    The paper keeps body end and upsampler in float, where they would take a third of the body's
    time. Two kinds of conv stay float: the head, whose features feed everything, and those that
    make the pixels, whose input in 8 bits would show in the picture (0.02 to 0.05 dB).
    Takes convolutions of any form but transposed ones, which stay float.
    """

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Quantize the weights of every such conv."""
        found = _float_layers_between(model)
        for layer in found:
            _quantize_weights(model, layer)
        if found:
            editing.drop_unused(model)
        return ir.passes.PassResult(model, bool(found))

    def requires(self, model: ir.Model) -> None:
        """Learned weights are integers already: what is float, training left so."""
        if any(editing.nodes_of(model, operators.WEIGHT_QUANT, operators.DOMAIN)):
            raise ir.passes.PreconditionError("a gdq::WeightQuant is left")

    def ensures(self, model: ir.Model) -> None:
        """Between the body and what makes the pixels no convolution has float weights."""
        if left := _float_layers_between(model):
            raise ir.passes.PostconditionError(f"{left[0]}, has float weights")


def _float_layers_between(model: ir.Model) -> list[Layer]:
    """Return the convolutions with float weights behind integer ones that make no pixels."""
    behind, last = _behind_integer_convs(model), _pixel_makers(model)
    layers = [forms.read(node) for node in model.graph if node in behind and node not in last]
    return [layer for layer in layers if layer is not None and layer.real_weight is not None]


def _behind_integer_convs(model: ir.Model) -> set[ir.Node]:
    """Return the float convs that (transitively) read the output of an integer conv."""
    reached: set[ir.Node] = set()
    for node in model.graph:
        sources = {value.producer() for value in node.inputs if value is not None}
        if forms.is_integer_conv(node) or sources & reached:
            reached.add(node)
    return {
        node for node in reached if editing.is_op(node, "Conv") and not forms.is_integer_conv(node)
    }


def _pixel_makers(model: ir.Model) -> set[ir.Node]:
    """Return the last convs, or the merged tail, on every path to the image."""
    pending = [model.graph.outputs[0].producer()]
    seen: set[ir.Node] = set()
    while pending:
        node = pending.pop()
        if node is not None and node not in seen:
            seen.add(node)
            if not _makes_pixels(node):
                pending += [value.producer() for value in node.inputs if value is not None]
    return {node for node in seen if _makes_pixels(node)}


def _makes_pixels(node: ir.Node) -> bool:
    is_merged_tail = editing.is_op(node, operators.MERGED_TAIL, operators.DOMAIN)
    return is_merged_tail or forms.read(node) is not None


def _quantize_weights(model: ir.Model, layer: Layer) -> None:
    weights = layer.real_weight
    assert weights is not None
    steps = (np.abs(weights).max(axis=(1, 2, 3)) / 127).astype(np.float32)
    steps[steps < _TINY] = 1  # a channel of (practically) zeros
    codes = np.rint(weights / layer.along_outputs(steps)).clip(-127, 127)
    rewriting.set_integer_weight(model, layer, codes, steps)
