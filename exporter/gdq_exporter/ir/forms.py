"""The one reader of layers: convolutions, transposed convolutions and products with a matrix.

Whatever looks at a layer (a pass, a target, the count of multiply-adds) reads it here, states which
forms it accepts, and refuses or leaves alone all others: no attribute is silently ignored.

=================  ==============================  =============================================
operator           weight                          output channels
=================  ==============================  =============================================
``Conv``           (O, I / group, rows, columns)   axis 0
``ConvTranspose``  (I, O / group, rows, columns)   axis 1, per group of rows
``Gemm``           (I, O), or (O, I) by ``transB`` the axis of O
``MatMul``         (I, O)                          axis 1
=================  ==============================  =============================================
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from gdq_exporter.errors import ExportError
from gdq_exporter.ir import editing

Pair = tuple[int, int]
"""Down and across."""
Pads = tuple[int, int, int, int]
"""Top, left, bottom, right."""

_CONVOLUTIONS = ("Conv", "ConvTranspose")
_NAMES = {
    "Conv": "convolution",
    "ConvTranspose": "transposed convolution",
    "Gemm": "product with a matrix",
    "MatMul": "product with a matrix",
}


@dataclass(frozen=True)
class Form:
    """How a layer moves over its input: everything about it except its weights."""

    operator: str
    kernel: Pair = (1, 1)
    group: int = 1
    strides: Pair = (1, 1)
    dilations: Pair = (1, 1)
    pads: Pads | None = (0, 0, 0, 0)
    """None where ``auto_pad`` or ``output_shape`` leaves them to the size of the input."""
    output_padding: Pair = (0, 0)
    """Of a transposed convolution: rows and columns added at the end of its output."""

    @property
    def is_convolution(self) -> bool:
        """Whether it is a convolution that is not transposed."""
        return self.operator == "Conv"

    @property
    def is_dense(self) -> bool:
        """Whether every output channel reads every input channel."""
        return self.group == 1

    @property
    def has_axis_of_outputs(self) -> bool:
        """Whether one axis of the weight counts all output channels."""
        return self.operator != "ConvTranspose" or self.is_dense

    @property
    def keeps_size(self) -> bool:
        """Whether it is a convolution padded alike on both sides to the size of its input."""
        reach = [(side - 1) * step for side, step in zip(self.kernel, self.dilations, strict=True)]
        padded = self.pads is not None and [2 * pad for pad in self.pads] == reach * 2
        return self.is_convolution and self.strides == (1, 1) and padded

    @property
    def is_plain(self) -> bool:
        """Whether it is a dense convolution without dilation that keeps the size."""
        return self.is_dense and self.keeps_size and self.dilations == (1, 1)

    def __str__(self) -> str:
        """Describe it in a phrase: 'a 3x3 convolution with 4 groups, strides 2x1'."""
        if self.operator not in _CONVOLUTIONS:
            return f"a {_NAMES[self.operator]}"
        told = [f"{self.group} groups"] if self.group != 1 else []
        told += [f"strides {_by(self.strides)}"] if self.strides != (1, 1) else []
        told += [f"dilations {_by(self.dilations)}"] if self.dilations != (1, 1) else []
        if self.pads is None:
            told.append("pads that depend on the size of its input")
        elif not self.keeps_size:
            told.append(f"pads {self.pads}")
        name = f"a {_by(self.kernel)} {_NAMES[self.operator]}"
        return f"{name} with {', '.join(told)}" if told else name


@dataclass(frozen=True, eq=False)
class IntegerWeight:
    """Weights behind a DequantizeLinear."""

    codes: NDArray[np.int8]
    steps: NDArray[np.float32]
    """() or, one for each output channel, (O,)."""


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer as read from the network; stale once its node is rewritten."""

    node: ir.Node
    form: Form
    weight: ir.Value
    """As the node reads it: a constant, dequantized, or computed."""
    shape: tuple[int, ...]
    """Of the weight."""
    bias: ir.Value | None

    @property
    def name(self) -> str:
        """The layer's name in the checkpoint, derived from the weight's name; for messages."""
        value = self.weight
        while (producer := value.producer()) is not None and producer.inputs:
            value = editing.input_of(producer, 0)
        return (value.name or "").removeprefix("network.").split(".weight")[0]

    def __str__(self) -> str:
        """Describe it in a phrase: "layer 'body.0.conv1', a 3x3 convolution"."""
        return f"layer {self.name!r}, {self.form}"

    @cached_property
    def real_weight(self) -> NDArray[np.float32] | None:
        """The weights if they are a float constant, else None."""
        return editing.constant(self.weight)

    @cached_property
    def integer_weight(self) -> IntegerWeight | None:
        """The weights if they are stored integers, without a zero point, with steps per output."""
        node = self.weight.producer()
        if not editing.is_op(node, "DequantizeLinear"):
            return None
        assert node is not None
        codes, steps = editing.constant(node.inputs[0]), editing.constant(node.inputs[1])
        if codes is None or steps is None or _zero_point(node):
            return None
        on_outputs = node.attributes.get_int("axis", 1) == self.output_axis
        if steps.ndim and not (on_outputs and self.form.has_axis_of_outputs):
            return None
        return IntegerWeight(codes, steps)

    @cached_property
    def constant_bias(self) -> NDArray[np.float32] | None:
        """The bias (O,), or a 0-d zero if there is none; None if it is computed."""
        return np.zeros((), np.float32) if self.bias is None else editing.constant(self.bias)

    @property
    def is_real(self) -> bool:
        """Whether weights and bias are float constants."""
        return self.real_weight is not None and self.constant_bias is not None

    @property
    def output_axis(self) -> int:
        """The weight's axis of output channels; those of one group if it is transposed."""
        if self.form.operator == "Gemm":
            return 0 if self.node.attributes.get_int("transB", 0) else 1
        return 0 if self.form.is_convolution else 1

    @property
    def outputs(self) -> int:
        """Output channels."""
        groups = self.form.group if self.form.operator == "ConvTranspose" else 1
        return self.shape[self.output_axis] * groups

    @property
    def weights(self) -> int:
        """Number of weights: multiply-adds for one pixel."""
        return prod(self.shape)

    def along_outputs(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """Reshape (O,), a number per output channel, so that it broadcasts to the weight."""
        if self.form.operator == "ConvTranspose":
            rows = self.shape[0] // self.form.group
            return numbers.reshape(self.form.group, -1).repeat(rows, axis=0)[:, :, None, None]
        if self.form.is_convolution:
            return numbers[:, None, None, None]
        return numbers[:, None] if self.output_axis == 0 else numbers[None, :]


def read(node: ir.Node | None) -> Layer | None:
    """Read a layer; None if the node is not one, or not even the shape of its weight is known.

    Raises:
        ExportError: a convolution over one or three dimensions.
    """
    if node is None or node.domain != "" or node.op_type not in _NAMES:
        return None
    weight = editing.input_of(node, 1)
    shape = _shape(weight)
    if shape is None:
        return None
    if node.op_type in _CONVOLUTIONS:
        form = _convolution_form(node, weight, shape[2:])
    elif len(shape) == 2 and _multiplies_rows(node, weight):
        form = Form(node.op_type)
    else:
        return None
    bias = node.inputs[2] if len(node.inputs) > 2 else None
    return Layer(node, form, weight, shape, bias)


def read_convolution(node: ir.Node | None) -> Layer | None:
    """Read a layer that is a convolution, transposed or not; None for anything else."""
    layer = read(node)
    return layer if layer is not None and layer.form.operator in _CONVOLUTIONS else None


def is_integer_conv(node: ir.Node) -> bool:
    """Tell whether a node is a Conv with dequantized integer weights, meant to run in integers."""
    return editing.is_op(node, "Conv") and editing.is_op(
        editing.input_of(node, 1).producer(), "DequantizeLinear"
    )


def integer_convs(model: ir.Model) -> list[ir.Node]:
    """Return the Convs meant to run in integers, in graph order."""
    return [node for node in model.graph if is_integer_conv(node)]


def behind_relu(value: ir.Value) -> ir.Value:
    """Return the output of the ReLU that is the only reader of ``value``; else ``value``."""
    reader = editing.sole_consumer(value)
    return reader.outputs[0] if reader is not None and editing.is_op(reader, "Relu") else value


def integer_conv_behind(value: ir.Value) -> ir.Node | None:
    """Return the integer Conv that makes a value, with or without a ReLU between them."""
    node = value.producer()
    if node is not None and editing.is_op(node, "Relu"):
        node = editing.input_of(node, 0).producer()
    return node if node is not None and is_integer_conv(node) else None


def densify(weight: NDArray[Any], form: Form) -> NDArray[Any]:
    """Return the weight of a grouped convolution as that of a dense one: zeros between the groups.

    Args:
        weight: (O, I / group, rows, columns), or (I, O / group, rows, columns) if transposed.
        form: of the convolution.

    Returns:
        (O, I, rows, columns), or (I, O, rows, columns).
    """
    blocks = np.split(weight, form.group)
    first, second = blocks[0].shape[:2]
    dense = np.zeros((len(weight), second * form.group, *weight.shape[2:]), weight.dtype)
    for number, block in enumerate(blocks):
        rows = slice(number * first, (number + 1) * first)
        dense[rows, number * second : (number + 1) * second] = block
    return dense


def _multiplies_rows(node: ir.Node, weight: ir.Value) -> bool:
    """Tell whether a Gemm or MatMul multiplies rows by a constant, as a linear layer does."""
    plain = not node.attributes.get_int("transA", 0) and all(
        node.attributes.get_float(name, 1.0) == 1 for name in ("alpha", "beta")
    )
    return plain and _is_stored(weight)


def _is_stored(weight: ir.Value) -> bool:
    """Tell whether a weight is a constant, as it is or behind a DequantizeLinear."""
    node = weight.producer()
    if editing.is_op(node, "DequantizeLinear"):
        assert node is not None
        weight = editing.input_of(node, 0)
    return editing.constant(weight) is not None


def _convolution_form(node: ir.Node, weight: ir.Value, kernel: tuple[int, ...]) -> Form:
    if len(kernel) != 2:
        raise ExportError(
            f"the weight {weight.name!r} belongs to a convolution over {len(kernel)} dimensions; "
            "only those over the rows and columns of an image can be exported"
        )
    attributes = node.attributes
    form = Form(
        operator=node.op_type,
        kernel=_pair(kernel),
        group=attributes.get_int("group", 1),
        strides=_pair(attributes.get_ints("strides", (1, 1))),
        dilations=_pair(attributes.get_ints("dilations", (1, 1))),
        output_padding=_pair(attributes.get_ints("output_padding", (0, 0))),
    )
    return replace(form, pads=_pads(node, form))


def _pads(node: ir.Node, form: Form) -> Pads | None:
    """Return the pads as written, or as ``auto_pad`` sets them if that depends on no size."""
    mode = node.attributes.get_string("auto_pad", "NOTSET")
    if "output_shape" in node.attributes:
        return None
    if mode in ("NOTSET", "VALID"):
        written = node.attributes.get_ints("pads", (0, 0, 0, 0)) if mode == "NOTSET" else (0,) * 4
        top, left, bottom, right = written
        return top, left, bottom, right
    if not form.is_convolution or form.strides != (1, 1):
        return None
    reach = [(side - 1) * step for side, step in zip(form.kernel, form.dilations, strict=True)]
    less, more = [one // 2 for one in reach], [one - one // 2 for one in reach]
    before, after = (less, more) if mode == "SAME_UPPER" else (more, less)
    return before[0], before[1], after[0], after[1]


def _zero_point(dequantize: ir.Node) -> bool:
    """Tell whether codes other than zero stand for zero."""
    if len(dequantize.inputs) < 3 or dequantize.inputs[2] is None:
        return False
    zero = editing.constant(dequantize.inputs[2])
    return zero is None or bool(np.any(zero))


def _shape(weight: ir.Value) -> tuple[int, ...] | None:
    """Return the shape of a weight; None if it is computed and unknown."""
    if weight.shape is not None:
        sizes = tuple(size for size in weight.shape if isinstance(size, int))
        return sizes if len(sizes) == len(weight.shape) else None
    node = weight.producer()
    if not editing.is_op(node, "DequantizeLinear"):
        return None
    assert node is not None
    return _shape(editing.input_of(node, 0))  # a new node has no inferred shape yet


def _pair(numbers: Any) -> Pair:
    down, across = numbers
    return down, across


def _by(pair: Pair) -> str:
    return f"{pair[0]}x{pair[1]}"
