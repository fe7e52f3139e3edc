"""Multiply-adds of a network, per low-resolution pixel."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import onnx_ir as ir

from gdq_exporter.ir import editing, forms, operators
from gdq_exporter.ir.forms import Layer


@dataclass(frozen=True)
class Macs:
    """Multiply-adds per low-resolution pixel: what BitOPs are counted from."""

    quantized: int
    """Of layers with a learned activation width."""
    floating: int
    """Of the layers that the paper leaves in float."""


def count_macs(traced: ir.Model) -> Macs:
    """Count the multiply-adds of all layers of a traced network.

    Weights count once for every pixel that a layer makes, those of a transposed convolution for
    every pixel that it reads; behind a pixel shuffle there are more of them, behind a stride fewer.
    """
    pixels = {traced.graph.inputs[0]: Fraction(1)}
    quantized = floating = Fraction(0)
    for node in traced.graph:
        layer = forms.read(node)
        # A layer's other inputs are its constants.
        sources = [value for value in node.inputs[: 1 if layer else None] if value in pixels]
        density = max((pixels[value] for value in sources), default=Fraction(1))
        pixels.update(dict.fromkeys(node.outputs, density * _growth(node, layer)))
        if layer is None:
            continue
        read = pixels[node.outputs[0]] if layer.form.is_convolution else density
        macs = read * layer.weights
        if editing.is_op(layer.weight.producer(), operators.WEIGHT_QUANT, operators.DOMAIN):
            quantized += macs
        else:
            floating += macs
    return Macs(round(quantized), round(floating))


def _growth(node: ir.Node, layer: Layer | None) -> Fraction:
    """Return how many pixels a node makes of each pixel that it reads."""
    if editing.is_op(node, "DepthToSpace"):
        return Fraction(node.attributes.get_int("blocksize", 1) ** 2)
    if layer is None:
        return Fraction(1)
    down, across = layer.form.strides
    return Fraction(1, down * across) if layer.form.is_convolution else Fraction(down * across)
