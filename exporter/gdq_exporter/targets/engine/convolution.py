"""A convolution's constants as the packed model has them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from gdq_exporter.ir import editing, operators, quantization
from gdq_exporter.targets.engine.refusal import refusal

_LARGEST_KERNEL = 9
_INSIDE = {0: slice(1, 3), 1: slice(0, 3), 2: slice(0, 2)}
"""Rows (columns) of a 3x3 kernel that lie in the picture at its first, any and its last row."""


@dataclass(frozen=True, eq=False)
class Convolution:
    """See ``Layer``, whose fields these are."""

    weights: NDArray[np.int8] | NDArray[np.float32]
    weight_steps: NDArray[np.float32] | None
    bias: NDArray[np.float32]

    @property
    def is_integer(self) -> bool:
        """Whether it reads codes."""
        return self.weight_steps is not None

    @property
    def outputs(self) -> int:
        """Channels, before depth-to-space."""
        return int(self.weights.shape[-4])


def is_convolution(node: ir.Node) -> bool:
    """Whether a layer begins with this node."""
    return editing.is_op(node, "Conv") or _is_merged_tail(node)


def read_convolution(node: ir.Node, offset: NDArray[np.float32] | None) -> Convolution:
    """Takes the constants of a Conv or a ``gdq::MergedTail``.

    Args:
        node: the convolution.
        offset: (in,), what is added to its input inside the picture, but not to the padding.

    Raises:
        ExportError: the convolution has a form that the packed model has no place for.
    """
    if _is_merged_tail(node):
        convolution = Convolution(_floats(node, 1), None, _floats(node, 2))
    else:
        convolution = _integer(node) if quantization.is_integer_conv(node) else _real(node)
        _check_form(node, *convolution.weights.shape[-2:])
    return convolution if offset is None else _with_offset(convolution, offset)


def _is_merged_tail(node: ir.Node) -> bool:
    return editing.is_op(node, operators.MERGED_TAIL, operators.DOMAIN)


def _check_form(conv: ir.Node, height: int, width: int) -> None:
    if height != width or height % 2 == 0 or height > _LARGEST_KERNEL:
        raise refusal(f"a convolution has a kernel of {height}x{width}")
    attributes = conv.attributes
    plain = (
        attributes.get_int("group", 1) == 1
        and attributes.get_string("auto_pad", "NOTSET") == "NOTSET"
        and list(attributes.get_ints("pads", (0, 0, 0, 0))) == [height // 2] * 4
        and list(attributes.get_ints("strides", (1, 1))) == [1, 1]
        and list(attributes.get_ints("dilations", (1, 1))) == [1, 1]
    )
    if not plain:
        raise refusal("a convolution has groups, strides, dilations or does not keep the size")


def _integer(conv: ir.Node) -> Convolution:
    dequantize = editing.input_of(conv, 1).producer()
    assert dequantize is not None
    weights, steps = editing.constant(dequantize.inputs[0]), editing.constant(dequantize.inputs[1])
    assert weights is not None
    assert steps is not None
    if weights.shape[2:] != (3, 3):
        raise refusal("a convolution of quantized activations has another kernel than 3x3")
    return Convolution(weights, np.atleast_1d(steps), _floats(conv, 2)[None])


def _real(conv: ir.Node) -> Convolution:
    if not editing.is_float_conv(conv):
        raise refusal("a convolution computes its own weights")
    return Convolution(_floats(conv, 1)[None], None, _floats(conv, 2)[None])


def _floats(node: ir.Node, index: int) -> NDArray[np.float32]:
    array = editing.constant(node.inputs[index])
    assert array is not None
    return array.astype(np.float32)


def _with_offset(convolution: Convolution, offset: NDArray[np.float32]) -> Convolution:
    """What the padding lacks of the offset, the biases of the outermost ring lack too."""
    weights = convolution.weights.astype(np.float32)
    if convolution.is_integer or weights.shape[0] != 1 or weights.shape[3:] != (3, 3):
        raise refusal("an offset stands in front of a convolution other than a real 3x3 one")
    reach = weights[0].astype(np.float64) * offset[:, None, None]
    inside = [
        reach[:, :, _INSIDE[row], _INSIDE[column]].sum(axis=(1, 2, 3))
        for row, column in product(range(3), repeat=2)
    ]
    bias = (convolution.bias + np.stack(inside)).astype(np.float32)
    return Convolution(weights.repeat(9, axis=0), None, bias)
