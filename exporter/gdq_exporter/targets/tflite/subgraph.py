"""The lowered network as a TFLite graph: one function per operator, for any network.

Lowered networks say by QuantizeLinear, Clip, DequantizeLinear which tensors are integer. Here those
are int8 tensors with ``int8 = code + 127 - top``: the top code is int8's largest, so saturation is
the upper bound at every bit-width and costs nothing. The lower bound is

- behind a conv with unsigned codes: a ReLU fused into it;
- behind a float tensor: the saturation of QUANTIZE to 8 bits, whose codes a multiplication by one
  then moves up to the top (exact, and the only price of a clamp);
- at 8 bits: int8's smallest.

A dequantized tensor becomes float only if an operator in float reads it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from gdq_exporter.errors import ExportError
from gdq_exporter.ir import editing, forms, quantization
from gdq_exporter.ir.forms import Form, Layer
from gdq_exporter.ir.quantization import QuantizationPoint
from gdq_exporter.targets.tflite import operators
from gdq_exporter.targets.tflite.model_builder import PIXELS, GraphBuilder, Quantization, Tensor
from gdq_exporter.trace import INPUT, OUTPUT

_WIDEST = 255
_WAY_OUT = "choose --formats onnx"
_NHWC_AXIS = (0, 3, 1, 2)
"""Where batch, channels, rows and columns of ONNX are."""


def add_subgraph(graph: GraphBuilder, model: ir.Model, tile: int) -> None:
    """Write a lowered network for tiles of one size.

    In: ``tile`` (1, tile, tile, 3) uint8. Out: ``output`` (1, tile * scale, tile * scale, 3) uint8,
    the lowered network's output rounded to 0..255.

    Raises:
        ExportError: the network has an operator, or a form of one, that cannot be written.
    """
    pixels = graph.input(INPUT, (1, tile, tile, 3), np.uint8, PIXELS)
    translation = _Translation(graph)
    translation.bind(model.graph.inputs[0], operators.dequantize(graph, pixels))
    for node in model.graph:
        translation.add(node)
    image = translation.real(model.graph.outputs[0])
    graph.finish({OUTPUT: operators.quantize(graph, image, PIXELS, np.uint8)})


class _Translation:
    """What each value of the lowered network has become."""

    def __init__(self, graph: GraphBuilder) -> None:
        self._graph = graph
        self._tensors: dict[ir.Value, Tensor] = {}
        self._reals: dict[Tensor, Tensor] = {}
        self._points: dict[Tensor, QuantizationPoint] = {}

    def bind(self, value: ir.Value, tensor: Tensor) -> None:
        """State what a value is."""
        self._tensors[value] = tensor

    def add(self, node: ir.Node) -> None:
        """Write one node; some are written by those that read them."""
        if node.op_type == "DequantizeLinear":
            self._add_codes(node)
        elif not _is_written_by_reader(node):
            write = _OPERATORS.get(node.op_type)
            if write is None:
                raise ExportError(f"{node.op_type} cannot be written as TFLite; {_WAY_OUT}")
            self.bind(node.outputs[0], write(self, node))

    def real(self, value: ir.Value) -> Tensor:
        """Return a value as float; codes are dequantized once."""
        tensor = self.tensor(value)
        if tensor.is_float:
            return tensor
        if tensor not in self._reals:
            self._reals[tensor] = operators.dequantize(self._graph, tensor)
        return self._reals[tensor]

    def tensor(self, value: ir.Value) -> Tensor:
        """Return a value as it is, float or codes; a constant becomes one of the graph."""
        if value not in self._tensors:
            array = editing.constant(value)
            assert array is not None, f"{value.name!r} is used before it is made"
            self.bind(value, self._graph.constant(_channels_last(array)))
        return self._tensors[value]

    def _add_codes(self, node: ir.Node) -> None:
        value = node.outputs[0]
        point = quantization.read(value)
        if point is None:
            return  # a weight or a bias; its conv reads it
        source = quantization.source(value)
        conv = forms.integer_conv_behind(source)
        if conv is not None:
            codes = self._integer_conv(conv, source, point)
        elif self._points.get(self.tensor(source)) == point:
            codes = self.tensor(source)  # they are its codes already, moved by a pixel shuffle
        else:
            codes = self._codes_of(self.real(source), point)
        self.bind(value, codes)
        self._points[codes] = point

    def _codes_of(self, real: Tensor, point: QuantizationPoint) -> Tensor:
        wide = operators.quantize(self._graph, real, _int8(point, _WIDEST))
        return self._raised(wide, point)

    def _raised(self, wide: Tensor, point: QuantizationPoint) -> Tensor:
        if point.top == _WIDEST:
            return wide
        return operators.move_codes(self._graph, wide, _int8(point).zero_point)

    def _integer_conv(self, conv: ir.Node, source: ir.Value, point: QuantizationPoint) -> Tensor:
        layer = _readable(conv)
        weight, (bias, bias_step) = layer.integer_weight, _stored_bias(layer)
        if weight is None:
            raise ExportError(f"{layer}, has integer weights with a zero point; {_WAY_OUT}")
        relu = point.zero_point == 0 or editing.is_op(source.producer(), "Relu")
        codes = weight.codes.transpose(0, 2, 3, 1)
        written = self._conv(
            layer.form,
            self.tensor(editing.input_of(conv, 0)),
            self._graph.constant(codes, np.int8, Quantization(weight.steps)),
            self._graph.constant(bias, np.int32, Quantization(bias_step)),
            relu=relu,
            quantization=_int8(point) if relu else _int8(point, _WIDEST),
        )
        return written if relu else self._raised(written, point)

    def float_conv(self, node: ir.Node) -> Tensor:
        """Write a Conv with float weights."""
        layer = _readable(node)
        if layer.real_weight is None or layer.constant_bias is None:
            raise ExportError(f"{layer}, computes its own weights; {_WAY_OUT}")
        bias = np.broadcast_to(layer.constant_bias, layer.outputs)
        constants = (layer.real_weight.transpose(0, 2, 3, 1), bias)
        return self._conv(
            layer.form, self._data(node), *(self._graph.constant(one) for one in constants)
        )

    def _conv(
        self,
        form: Form,
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        *,
        relu: bool = False,
        quantization: Quantization | None = None,
    ) -> Tensor:
        # SAME pads half of the kernel on each side; other pads, zeros too, are written out.
        if not form.keeps_size and form.pads is not None and any(form.pads):
            top, left, bottom, right = form.pads
            x = operators.pad(self._graph, x, [(0, 0), (top, bottom), (left, right), (0, 0)])
        return operators.conv(
            self._graph,
            x,
            weight,
            bias,
            strides=form.strides,
            dilations=form.dilations,
            same=form.keeps_size,
            relu=relu,
            quantization=quantization,
        )

    def arithmetic(self, node: ir.Node) -> Tensor:
        """Write an Add, Sub, Mul or Div."""
        operands = [self.real(editing.input_of(node, index)) for index in (0, 1)]
        return operators.arithmetic(self._graph, node.op_type.upper(), *operands)

    def relu(self, node: ir.Node) -> Tensor:
        """Write a Relu of a float tensor."""
        return operators.unary(self._graph, "RELU", self._data(node))

    def leaky_relu(self, node: ir.Node) -> Tensor:
        """Write a LeakyRelu."""
        slope = node.attributes.get_float("alpha", 0.01)
        return operators.leaky_relu(self._graph, self._data(node), slope)

    def prelu(self, node: ir.Node) -> Tensor:
        """Write a PRelu with a slope per channel."""
        slopes = editing.constant(node.inputs[1])
        if slopes is None:
            raise ExportError(f"a PReLU computes its own slopes; {_WAY_OUT}")
        return operators.prelu(
            self._graph, self._data(node), self._graph.constant(slopes.reshape(1, 1, -1))
        )

    def clip(self, node: ir.Node) -> Tensor:
        """Write a Clip of a float tensor."""
        x = self._data(node)
        for index, operator in ((1, "MAXIMUM"), (2, "MINIMUM")):
            bound = editing.scalar(node.inputs[index]) if index < len(node.inputs) else None
            if bound is not None:
                limit = self._graph.constant([bound])
                x = operators.arithmetic(self._graph, operator, x, limit)
        return x

    def depth_to_space(self, node: ir.Node) -> Tensor:
        """Write a DepthToSpace in the order DCR, of floats or codes."""
        if node.attributes.get_string("mode", "DCR") != "DCR":
            raise ExportError(f"a pixel shuffle that follows no convolution; {_WAY_OUT}")
        x = self.tensor(editing.input_of(node, 0))
        block = node.attributes.get_int("blocksize", 1)
        shuffled = operators.depth_to_space(self._graph, x, block)
        if x in self._points:
            self._points[shuffled] = self._points[x]
        return shuffled

    def slice_(self, node: ir.Node) -> Tensor:
        """Write a Slice along one axis with constant bounds."""
        bounds = [editing.scalar(node.inputs[index]) for index in (1, 2, 3)]
        assert all(bound is not None for bound in bounds), "bounds of a slice are constants"
        start, stop, axis = (int(bound or 0) for bound in bounds)
        x, axis = self._data(node), _NHWC_AXIS[axis]
        start, stop, _ = slice(start, stop).indices(x.shape[axis])
        return operators.slice_(self._graph, x, axis, start, stop)

    def concat(self, node: ir.Node) -> Tensor:
        """Write a Concat."""
        parts = [self.real(value) for value in node.inputs if value is not None]
        axis = _NHWC_AXIS[node.attributes.get_int("axis", 0)]
        return operators.concatenate(self._graph, parts, axis)

    def identity(self, node: ir.Node) -> Tensor:
        """Pass an Identity through."""
        return self.tensor(editing.input_of(node, 0))

    def _data(self, node: ir.Node) -> Tensor:
        return self.real(editing.input_of(node, 0))


_OPERATORS: dict[str, Callable[[_Translation, ir.Node], Tensor]] = {
    "Add": _Translation.arithmetic,
    "Clip": _Translation.clip,
    "Concat": _Translation.concat,
    "Conv": _Translation.float_conv,
    "DepthToSpace": _Translation.depth_to_space,
    "Div": _Translation.arithmetic,
    "Identity": _Translation.identity,
    "LeakyRelu": _Translation.leaky_relu,
    "Mul": _Translation.arithmetic,
    "PRelu": _Translation.prelu,
    "Relu": _Translation.relu,
    "Slice": _Translation.slice_,
    "Sub": _Translation.arithmetic,
}


def _is_written_by_reader(node: ir.Node) -> bool:
    """Tell whether a node is part of what ``_add_codes`` writes."""
    if node.op_type == "Relu":
        return forms.integer_conv_behind(node.outputs[0]) is not None
    if node.op_type == "Clip":
        return editing.is_op(editing.input_of(node, 0).producer(), "QuantizeLinear")
    return node.op_type == "QuantizeLinear" or forms.is_integer_conv(node)


def _readable(conv: ir.Node) -> Layer:
    """Return a convolution in a form that CONV_2D has.

    Raises:
        ExportError: it has another form.
    """
    layer = forms.read(conv)
    if layer is None:
        raise ExportError(f"a convolution computes its own weights; {_WAY_OUT}")
    if not layer.form.is_dense or layer.form.pads is None:
        raise ExportError(f"TFLite graphs have no place for {layer}; {_WAY_OUT}")
    return layer


def _int8(point: QuantizationPoint, top: int | None = None) -> Quantization:
    """Return the int8 codes of a point, the largest of them standing for ``top``."""
    top = point.top if top is None else top
    return Quantization(np.asarray(point.step, np.float32), point.zero_point + 127 - top)


def _stored_bias(layer: Layer) -> tuple[NDArray[np.int_], NDArray[np.float32]]:
    """Return the bias of an integer layer as integers, and their steps."""
    dequantize = None if layer.bias is None else layer.bias.producer()
    assert dequantize is not None
    codes, steps = editing.constant(dequantize.inputs[0]), editing.constant(dequantize.inputs[1])
    assert codes is not None
    assert steps is not None
    return codes, steps


def _channels_last(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a constant that broadcasts to an image, (1, C, 1, 1) or (C, 1, 1), with C last."""
    return np.moveaxis(array, -3, -1) if array.ndim >= 3 else array
