"""Bounds codes of fewer than 8 bits by saturation alone: some accelerators clamp no integers.

A lowered network says ``QuantizeLinear(zero_point), Clip(0, top)``. These are two saturations::

    QuantizeLinear(zero_point + 255 - top)    the type's top is the upper bound
    DequantizeLinear, Add zero, QuantizeLinear(zero_point)    its bottom is the lower one

The codes are the same. ONNX Runtime runs the second line as one QLinearAdd on bytes, and its NNAPI
provider as one ADD, where an integer Clip cuts the graph in two. The sum is exact, and keeps ONNX
Runtime from merging both quantizations into one with another step. The other order, as in TFLite
graphs, would leave codes at the top: products with weights, added in pairs, would not fit into 16
bits (docs/numerics.md).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx_ir as ir

from gdq_exporter.ir import editing

_TYPE_TOP = 255
_ZERO = (np.uint8(0), np.float32(2**-16))
"""Code and step of zero: one of both for all sums, because NNAPI's provider gives a constant one
step; smaller than any other, because NNAPI's ADD scales both terms by the larger one, exactly."""


def clamp_by_saturation(model: ir.Model) -> None:
    """Replace the integer Clips of a lowered network, in place."""
    clips = [clip for clip in editing.nodes_of(model, "Clip") if _quantizer(clip) is not None]
    if not clips:
        return
    zero = [editing.add_constant(model, np.array(part), "zero") for part in _ZERO]
    for clip in clips:
        _replace(model, clip, zero)
    editing.drop_unused(model)


def _replace(model: ir.Model, clip: ir.Node, zero: Sequence[ir.Value]) -> None:
    quantizer, top = _quantizer(clip), editing.scalar(clip.inputs[2])
    assert quantizer is not None
    assert top is not None
    source, unit, point = (editing.input_of(quantizer, index) for index in range(3))
    lowest = editing.scalar(point)
    assert lowest is not None
    if lowest == 0:
        source = _before_relu(source)
    raised = editing.add_constant(model, np.array(lowest + _TYPE_TOP - top, np.uint8), "raised")
    codes = editing.insert(model, clip, "QuantizeLinear", [source, unit, raised])
    real = editing.insert(model, clip, "DequantizeLinear", [codes, unit, raised])
    # One of its own for each: shared, ONNX Runtime would have to copy it before it fuses.
    nothing = editing.insert(model, clip, "DequantizeLinear", zero)
    same = editing.insert(model, clip, "Add", [real, nothing])
    lowered = editing.insert(model, clip, "QuantizeLinear", [same, unit, point])
    editing.redirect(clip.outputs[0], lowered)


def _quantizer(clip: ir.Node) -> ir.Node | None:
    """Return what makes the codes that a Clip bounds, or None if it bounds real numbers."""
    producer = editing.input_of(clip, 0).producer()
    return producer if editing.is_op(producer, "QuantizeLinear") else None


def _before_relu(source: ir.Value) -> ir.Value:
    """Return what a ReLU of which only unsigned codes are read gets: their lower bound is its."""
    relu = source.producer()
    if editing.is_op(relu, "Relu") and editing.sole_consumer(source) is not None:
        assert relu is not None
        return editing.input_of(relu, 0)
    return source
