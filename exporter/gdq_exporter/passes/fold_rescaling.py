"""Multiplications by a constant, folded into the layer beside them."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from gdq_exporter.ir import editing, forms, rewriting
from gdq_exporter.ir.forms import Layer


class FoldRescalingPass(ir.passes.InPlacePass):
    """Folds ``x * c`` and ``x / c`` (scalar c) into the float layer that reads or writes it.

    A network trained on 0..1 divides the image by 255 and multiplies its output by 255; a residual
    scale of one multiplies by nothing. A factor without a float layer beside it stays where it is.
    Takes layers of any form, since all are linear: padding with zeros commutes with a factor.
    """

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Fold every rescaling it can."""
        modified = False
        for node in list(model.graph):
            if (factor := _factor(node)) is not None and _fold(model, node, factor):
                editing.remove(model, node)  # right away: the next one asks what reads the conv
                modified = True
        if modified:
            editing.drop_unused(model)
        return ir.passes.PassResult(model, modified)

    def requires(self, model: ir.Model) -> None:
        """Learned weights are still float: their steps would have to be rescaled too."""
        if forms.integer_convs(model):
            raise ir.passes.PreconditionError("weights are integers already")

    def ensures(self, model: ir.Model) -> None:
        """No multiplication by one is left."""
        if any(_factor(node) == 1 for node in model.graph):
            raise ir.passes.PostconditionError("a multiplication by one is left")


def _factor(node: ir.Node) -> float | None:
    if not (editing.is_op(node, "Mul") or editing.is_op(node, "Div")):
        return None
    constant = editing.scalar(node.inputs[1])
    if constant is None or constant == 0:
        return None
    return constant if node.op_type == "Mul" else 1 / constant


def _fold(model: ir.Model, node: ir.Node, factor: float) -> bool:
    source, scaled = editing.input_of(node, 0), node.outputs[0]
    if factor == 1:
        editing.redirect(scaled, source)
        return True
    producer, readers = forms.read(source.producer()), _real_readers(scaled)
    if producer is not None and producer.is_real and editing.sole_consumer(source) is node:
        _scale(model, producer, factor)
        if producer.bias is not None:
            rewriting.set_bias(model, producer, _scaled(producer.constant_bias, factor))
        editing.redirect(scaled, source)
        return True
    if readers:
        for reader in readers:
            _scale(model, reader, factor)
        editing.redirect(scaled, source)
        return True
    return False


def _real_readers(value: ir.Value) -> list[Layer]:
    """Return the layers that read a value as data, if they are real and its only readers."""
    if value.is_graph_output() or any(index != 0 for _, index in value.uses()):
        return []
    layers = [forms.read(reader) for reader in editing.consumers(value)]
    real = [layer for layer in layers if layer is not None and layer.is_real]
    return real if len(real) == len(layers) else []


def _scale(model: ir.Model, layer: Layer, factor: float) -> None:
    rewriting.set_weight(model, layer, _scaled(layer.real_weight, factor))


def _scaled(array: NDArray[np.float32] | None, factor: float) -> NDArray[np.float64]:
    assert array is not None
    scaled: NDArray[np.float64] = array.astype(np.float64) * factor
    return scaled
