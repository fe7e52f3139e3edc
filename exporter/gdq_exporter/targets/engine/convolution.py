"""A convolution's constants as the packed model has them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from gdq_exporter.ir import editing, forms, operators
from gdq_exporter.ir.forms import Layer
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
    """Tell whether a layer begins with this node."""
    return editing.is_op(node, "Conv") or _is_merged_tail(node)


def read_convolution(node: ir.Node, offset: NDArray[np.float32] | None) -> Convolution:
    """Read the constants of a Conv or a ``gdq::MergedTail``.

    Args:
        node: the convolution.
        offset: (in,), what is added to its input inside the picture, but not to the padding.

    Raises:
        ExportError: the convolution has a form that the packed model has no place for.
    """
    layer = forms.read(node)
    if _is_merged_tail(node):
        convolution = Convolution(_floats(node, 1), None, _floats(node, 2))
    elif layer is None:
        raise refusal("a convolution computes its own weights")
    else:
        _check_form(layer)
        convolution = _integer(layer) if forms.is_integer_conv(node) else _real(layer)
    return convolution if offset is None else _with_offset(layer, convolution, offset)


def _is_merged_tail(node: ir.Node) -> bool:
    return editing.is_op(node, operators.MERGED_TAIL, operators.DOMAIN)


def _check_form(layer: Layer) -> None:
    if not layer.form.is_plain or max(layer.form.kernel) > _LARGEST_KERNEL or _is_oblong(layer):
        raise refusal(f"it has {layer}")


def _is_oblong(layer: Layer) -> bool:
    return layer.form.kernel[0] != layer.form.kernel[1]


def _integer(layer: Layer) -> Convolution:
    weight, bias = layer.integer_weight, layer.constant_bias
    if weight is None or bias is None:
        raise refusal(f"it has {layer}, which computes its own weights")
    if layer.form.kernel != (3, 3):
        raise refusal(f"it has {layer}, of quantized activations, which must be 3x3")
    return Convolution(weight.codes, np.atleast_1d(weight.steps), _row_of(layer, bias))


def _real(layer: Layer) -> Convolution:
    weight, bias = layer.real_weight, layer.constant_bias
    if weight is None or bias is None:
        raise refusal(f"it has {layer}, which computes its own weights")
    return Convolution(weight.astype(np.float32)[None], None, _row_of(layer, bias))


def _row_of(layer: Layer, bias: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the bias as a row (1, O)."""
    return np.broadcast_to(bias, layer.outputs).astype(np.float32)[None]


def _floats(node: ir.Node, index: int) -> NDArray[np.float32]:
    array = editing.constant(node.inputs[index])
    assert array is not None
    return array.astype(np.float32)


def _with_offset(
    layer: Layer | None, convolution: Convolution, offset: NDArray[np.float32]
) -> Convolution:
    """Fold an offset in: biases of the outermost ring leave out the padding, which has none."""
    weights = convolution.weights.astype(np.float32)
    if convolution.is_integer or weights.shape[0] != 1 or weights.shape[3:] != (3, 3):
        raise refusal(
            f"an offset stands in front of {layer or 'a merged tail'}; only a real 3x3 convolution "
            "can take it in"
        )
    reach = weights[0].astype(np.float64) * offset[:, None, None]
    inside = [
        reach[:, :, _INSIDE[row], _INSIDE[column]].sum(axis=(1, 2, 3))
        for row, column in product(range(3), repeat=2)
    ]
    bias = (convolution.bias + np.stack(inside)).astype(np.float32)
    return Convolution(weights.repeat(9, axis=0), None, bias)
