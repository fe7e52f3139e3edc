"""The merged tail in standard operators: one convolution and corrections of its border ring."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from gdq_exporter.ir import editing, operators

_RADIUS = 2
"""Of the merged kernel."""


class ExpandMergedTailPass(ir.passes.InPlacePass):
    """Turns ``gdq::MergedTail`` into convs, slices and additions.

    The kernel of the inside runs everywhere; along each edge and in each corner a small conv adds
    what the kernel of that place has beyond it.
    """

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Expand every merged tail."""
        found = list(editing.nodes_of(model, operators.MERGED_TAIL, operators.DOMAIN))
        for node in found:
            editing.redirect(node.outputs[0], _Tail(model, node).build())
        if found:
            editing.drop_unused(model)
        return ir.passes.PassResult(model, bool(found))

    def requires(self, model: ir.Model) -> None:
        """The kernels of every merged tail are constants."""
        for node in editing.nodes_of(model, operators.MERGED_TAIL, operators.DOMAIN):
            if any(editing.constant(value) is None for value in node.inputs[1:]):
                raise ir.passes.PreconditionError("a gdq::MergedTail computes its kernels")

    def ensures(self, model: ir.Model) -> None:
        """No merged tail is left."""
        if any(editing.nodes_of(model, operators.MERGED_TAIL, operators.DOMAIN)):
            raise ir.passes.PostconditionError("a gdq::MergedTail is left")


@dataclass(frozen=True, eq=False)
class _Kernels:
    """Weights (O, C, 5, 5) and bias (O,) at a place: row and column each 0, 1 or 2."""

    weight: dict[tuple[int, int], NDArray[np.float64]]
    bias: dict[tuple[int, int], NDArray[np.float64]]

    def correction(self, row: int, column: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what a place adds to the inside kernel and, in a corner, to its two edges."""
        places = [((row, column), 1), ((1, 1), -1)]
        if row != 1 and column != 1:
            places = [((row, column), 1), ((row, 1), -1), ((1, column), -1), ((1, 1), 1)]
        weight = sum(sign * self.weight[place] for place, sign in places)
        bias = sum(sign * self.bias[place] for place, sign in places)
        return np.asarray(weight), np.asarray(bias)


def _kernels(node: ir.Node) -> _Kernels:
    weights, biases = (editing.constant(node.inputs[index]) for index in (1, 2))
    assert weights is not None
    assert biases is not None
    places = [(row, column) for row in range(3) for column in range(3)]
    return _Kernels(dict(zip(places, weights, strict=True)), dict(zip(places, biases, strict=True)))


class _Tail:
    """Writes the merged conv and the corrections of its border ring in a node's place."""

    def __init__(self, model: ir.Model, node: ir.Node) -> None:
        self._model, self._node = model, node
        self._features, self._kernels = editing.input_of(node, 0), _kernels(node)

    def build(self) -> ir.Value:
        """Return the subpixels (1, scale^2 * 3, height, width)."""
        inside = self._conv(
            self._features, self._kernels.weight[1, 1], self._kernels.bias[1, 1], [_RADIUS] * 4
        )
        rows = self._replace_ends(inside, 2, self._row(0), self._row(2))
        return self._replace_ends(rows, 3, self._edge(1, 0), self._edge(1, 2))

    def _row(self, row: int) -> ir.Value:
        """Return the correction of the first or last row, its corners included."""
        corners = [self._edge(row, column) for column in (0, 2)]
        return self._replace_ends(self._edge(row, 1), 3, *corners)

    def _edge(self, row: int, column: int) -> ir.Value:
        """Return one correction: a conv over the strip of features that the border pixels see."""
        weight, bias = self._kernels.correction(row, column)
        strip, pads = self._features, [0, 0, 0, 0]
        for axis, place in ((2, row), (3, column)):
            if place == 1:
                pads[axis - 2] = pads[axis] = _RADIUS
                continue
            strip = self._slice(strip, axis, *_ENDS[place])
            weight = np.take(weight, _SEEN[place], axis=axis)
        return self._conv(strip, weight, bias, pads)

    def _replace_ends(self, x: ir.Value, axis: int, first: ir.Value, last: ir.Value) -> ir.Value:
        """Add ``first`` and ``last`` to the ends of ``x`` along an axis."""
        parts = [
            self._op("Add", [self._slice(x, axis, 0, 1), first]),
            self._slice(x, axis, 1, -1),
            self._op("Add", [self._slice(x, axis, -1, _END), last]),
        ]
        return self._op("Concat", parts, {"axis": axis})

    def _slice(self, x: ir.Value, axis: int, start: int, end: int) -> ir.Value:
        bounds = [
            editing.add_constant(self._model, np.array([number], np.int64), name)
            for number, name in ((start, "start"), (end, "end"), (axis, "axis"))
        ]
        return self._op("Slice", [x, *bounds])

    def _conv(
        self,
        x: ir.Value,
        weight: NDArray[np.float64],
        bias: NDArray[np.float64],
        pads: list[int],
    ) -> ir.Value:
        constants = [
            editing.add_constant(self._model, array.astype(np.float32), f"merged_tail.{name}")
            for array, name in ((weight, "weight"), (bias, "bias"))
        ]
        return self._op("Conv", [x, *constants], {"pads": pads})

    def _op(
        self, op_type: str, inputs: list[ir.Value], attributes: dict[str, object] | None = None
    ) -> ir.Value:
        return editing.insert(self._model, self._node, op_type, inputs, attributes)


_END = int(np.iinfo(np.int32).max)
_ENDS = {0: (0, _RADIUS + 1), 2: (-_RADIUS - 1, _END)}
"""The rows (or columns) of features that the first and the last row of pixels see."""
_SEEN = {0: range(_RADIUS, 2 * _RADIUS + 1), 2: range(_RADIUS + 1)}
"""Their place in a 5x5 kernel; the rest of it lies outside the picture."""
