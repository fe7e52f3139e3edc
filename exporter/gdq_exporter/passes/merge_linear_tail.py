"""Upsampler and tail, when nothing non-linear stands between them, as one small convolution.

conv -> pixel shuffle -> ... -> conv is a linear map of the low-resolution features. Away from the
border it is one 5x5 convolution to the 3 scale^2 subpixels of a low-resolution pixel: at x2 an
eighth of the multiply-adds, so it can stay in float, and the high-resolution features, whose
8-bit codes would cost 0.05 dB, never exist. At the border the inner convs pad with zeros what the
merged one would compute, so the outermost ring of low-resolution pixels has kernels of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import onnx_ir as ir
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from gdq_exporter import editing

_RADIUS = 2
"""Of the merged kernel: 1 + 1/2 + 1/4 low-resolution pixels, rounded up."""
_PROBE = 2 * _RADIUS + 5
"""Side of the map that is probed: its middle is further from every border than the kernel."""
_PLACES = (0, _PROBE // 2, _PROBE - 1)
"""Before the first pixel is a border, inside, and after the last."""


@dataclass(frozen=True, eq=False)
class _Stage:
    """A conv and the pixel shuffle behind it."""

    weight: torch.Tensor
    bias: torch.Tensor
    block: int
    """1 behind the last conv, where there is no shuffle."""
    mode: str


class MergeLinearTailPass(ir.passes.InPlacePass):
    """Replaces conv, DepthToSpace (once or more), conv at the network's end; exact everywhere."""

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Merges the tail if it is linear and its convs are 3x3."""
        found = _find(model)
        if found is None:
            return ir.passes.PassResult(model, False)
        features, stages = found
        output = model.graph.outputs[0]
        block = int(np.prod([stage.block for stage in stages]))
        subpixels = _Tail(model, features, _probe(stages)).build()
        image = editing.insert(
            model, None, "DepthToSpace", [subpixels], {"blocksize": block, "mode": "DCR"}
        )
        editing.redirect(output, image)
        editing.drop_unused(model)
        return ir.passes.PassResult(model, True)


def _find(model: ir.Model) -> tuple[ir.Value, list[_Stage]] | None:
    """The features that the linear tail reads and its stages, or None."""
    stages: list[_Stage] = []
    value, block, mode = model.graph.outputs[0], 1, "DCR"
    features = value
    while (conv := value.producer()) is not None and _is_plain_conv(conv):
        stages.insert(0, _stage(conv, block, mode))
        features = editing.input_of(conv, 0)
        shuffle = features.producer()
        if not editing.is_op(shuffle, "DepthToSpace") or not editing.sole_consumer(features):
            break
        assert shuffle is not None
        value = editing.input_of(shuffle, 0)
        if not editing.sole_consumer(value):
            break
        block = shuffle.attributes.get_int("blocksize", 1)
        mode = shuffle.attributes.get_string("mode", "DCR")
    return (features, stages) if len(stages) > 1 else None


def _is_plain_conv(node: ir.Node) -> bool:
    return (
        editing.is_op(node, "Conv")
        and (weights := editing.constant(node.inputs[1])) is not None
        and weights.shape[2:] == (3, 3)
        and list(node.attributes.get_ints("pads", ())) == [1, 1, 1, 1]
        and list(node.attributes.get_ints("strides", (1, 1))) == [1, 1]
        and list(node.attributes.get_ints("dilations", (1, 1))) == [1, 1]
        and node.attributes.get_int("group", 1) == 1
    )


def _stage(conv: ir.Node, block: int, mode: str) -> _Stage:
    weight, bias = editing.constant(conv.inputs[1]), editing.constant(conv.inputs[2])
    assert weight is not None
    assert bias is not None
    return _Stage(torch.tensor(weight).double(), torch.tensor(bias).double(), block, mode)


def _run(stages: list[_Stage], features: torch.Tensor) -> torch.Tensor:
    """(1, C, h, w) -> (subpixel, 3) of each low-resolution pixel: (scale^2 * 3, h, w), float64."""
    x = features
    for stage in stages:
        x = F.conv2d(x, stage.weight, stage.bias, padding=1)
        x = _shuffle(x, stage.block, stage.mode)
    scale = x.shape[-1] // features.shape[-1]
    # DCR order, so that one DepthToSpace at the end makes the image.
    subpixels = F.pixel_unshuffle(x, scale).reshape(x.shape[1], scale * scale, *features.shape[2:])
    return subpixels.transpose(0, 1).reshape(-1, *features.shape[2:])


def _shuffle(x: torch.Tensor, block: int, mode: str) -> torch.Tensor:
    if mode == "DCR":
        n, c, h, w = x.shape
        x = x.reshape(n, block * block, c // block**2, h, w).transpose(1, 2).reshape(n, c, h, w)
    return F.pixel_shuffle(x, block)


@dataclass(frozen=True, eq=False)
class _Kernels:
    """Weights (O, C, 5, 5) and bias (O,) at a place: row and column each 0, 1 or 2 (see PLACES)."""

    weight: dict[tuple[int, int], NDArray[np.float64]]
    bias: dict[tuple[int, int], NDArray[np.float64]]

    def correction(self, row: int, column: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What a place has beyond the inside kernel and, in a corner, beyond its two edges."""
        places = [((row, column), 1), ((1, 1), -1)]
        if row != 1 and column != 1:
            places = [((row, column), 1), ((row, 1), -1), ((1, column), -1), ((1, 1), 1)]
        weight = sum(sign * self.weight[place] for place, sign in places)
        bias = sum(sign * self.bias[place] for place, sign in places)
        return np.asarray(weight), np.asarray(bias)


def _probe(stages: list[_Stage]) -> _Kernels:
    """Reads the map's kernels off its gradient at nine places of a small picture."""
    channels = stages[0].weight.shape[1]
    zero = torch.zeros(1, channels, _PROBE, _PROBE, dtype=torch.float64, requires_grad=True)
    response = _run(stages, zero)
    weight, bias = {}, {}
    for (i, row), (j, column) in product(enumerate(_PLACES), repeat=2):
        outputs = response[:, row, column]
        rows = [torch.autograd.grad(y, zero, retain_graph=True)[0][0] for y in outputs]
        padded = F.pad(torch.stack(rows), [_RADIUS] * 4)
        weight[i, j] = padded[
            :, :, row : row + 2 * _RADIUS + 1, column : column + 2 * _RADIUS + 1
        ].numpy()
        bias[i, j] = outputs.detach().numpy()
    return _Kernels(weight, bias)


class _Tail:
    """Writes the merged conv and the corrections of its border ring at the end of a network."""

    def __init__(self, model: ir.Model, features: ir.Value, kernels: _Kernels) -> None:
        self._model, self._features, self._kernels = model, features, kernels

    def build(self) -> ir.Value:
        """The subpixels (1, scale^2 * 3, height, width)."""
        inside = self._conv(
            self._features, self._kernels.weight[1, 1], self._kernels.bias[1, 1], [_RADIUS] * 4
        )
        rows = self._replace_ends(inside, 2, self._row(0), self._row(2))
        return self._replace_ends(rows, 3, self._edge(1, 0), self._edge(1, 2))

    def _row(self, row: int) -> ir.Value:
        """The correction of the first or last row, its corners included."""
        corners = [self._edge(row, column) for column in (0, 2)]
        return self._replace_ends(self._edge(row, 1), 3, *corners)

    def _edge(self, row: int, column: int) -> ir.Value:
        """One correction: a conv over the strip of features that the border pixels see."""
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
        """Adds ``first`` and ``last`` to the ends of ``x`` along an axis."""
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
        return editing.insert(self._model, None, op_type, inputs, attributes)


_END = int(np.iinfo(np.int32).max)
_ENDS = {0: (0, _RADIUS + 1), 2: (-_RADIUS - 1, _END)}
"""The rows (or columns) of features that the first and the last row of pixels see."""
_SEEN = {0: range(_RADIUS, 2 * _RADIUS + 1), 2: range(_RADIUS + 1)}
"""Their place in a 5x5 kernel; the rest of it lies outside the picture."""
