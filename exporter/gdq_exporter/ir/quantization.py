"""The quantize-dequantize idiom: how a lowered network says that a tensor is integer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from gdq_exporter.ir import editing


@dataclass(frozen=True)
class QuantizationPoint:
    """How one tensor becomes uint8 codes: ``clip(round(x / step) + zero_point, 0, top)``."""

    step: np.float32
    """Real value of one integer unit, above zero."""
    zero_point: int
    """Code of the real zero, 0..255."""
    top: int = 255
    """Largest code; below 255 an integer Clip is written."""


def insert_before(
    model: ir.Model, anchor: ir.Node, source: ir.Value, point: QuantizationPoint
) -> ir.Value:
    """Quantize ``source`` before the node ``anchor``; return the dequantized value."""
    nodes = _nodes(model, source, point)
    model.graph.insert_before(anchor, nodes)
    return nodes[-1].outputs[0]


def insert_behind(model: ir.Model, value: ir.Value, point: QuantizationPoint) -> ir.Value:
    """Quantize ``value`` where it is made; its readers now read the returned, dequantized one."""
    producer = value.producer()
    nodes = _nodes(model, value, point)
    if producer is None:
        model.graph.insert_before(model.graph[0], nodes)
    else:
        model.graph.insert_after(producer, nodes)
    dequantized = nodes[-1].outputs[0]
    editing.redirect(value, dequantized, keep=nodes)
    return dequantized


def _nodes(model: ir.Model, source: ir.Value, point: QuantizationPoint) -> list[ir.Node]:
    # 0-d constants: a scale of shape [1] silently keeps ONNX Runtime from fusing.
    step = editing.add_constant(model, np.array(point.step, np.float32), "step")
    zero_point = editing.add_constant(model, np.array(point.zero_point, np.uint8), "zero_point")
    nodes = [ir.node("QuantizeLinear", [source, step, zero_point])]
    if point.top < 255:
        top = editing.add_constant(model, np.array(point.top, np.uint8), "top")
        nodes.append(ir.node("Clip", [nodes[-1].outputs[0], None, top]))
    nodes.append(ir.node("DequantizeLinear", [nodes[-1].outputs[0], step, zero_point]))
    return nodes


def read(value: ir.Value | None) -> QuantizationPoint | None:
    """Return the quantization behind a dequantized activation, or None if it is plain float."""
    node = value.producer() if value is not None else None
    if node is None or not editing.is_op(node, "DequantizeLinear"):
        return None
    codes = editing.input_of(node, 0)
    if editing.constant(codes) is not None:
        return None  # a dequantized constant is a weight, not an activation
    step, zero_point = editing.scalar(node.inputs[1]), editing.scalar(node.inputs[2])
    assert step is not None
    assert zero_point is not None
    return QuantizationPoint(np.float32(step), int(zero_point), _top(codes.producer()))


def _top(producer: ir.Node | None) -> int:
    if producer is None or not editing.is_op(producer, "Clip"):
        return 255
    top = editing.scalar(producer.inputs[2])
    assert top is not None
    return int(top)


def source(dequantized: ir.Value) -> ir.Value:
    """Return the real value behind QuantizeLinear, Clip, DequantizeLinear."""
    value = dequantized
    while not editing.is_op(node := value.producer(), "QuantizeLinear"):
        assert node is not None
        value = editing.input_of(node, 0)
    assert node is not None
    return editing.input_of(node, 0)
