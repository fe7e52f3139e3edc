"""The bundle's ONNX graphs in NumPy: the integer convolutions in exact integer arithmetic.

Independent of every runtime: ONNX's reference evaluator walks the graph, and a convolution whose
inputs are all integers behind DequantizeLinear is summed without rounding. It is slow (seconds
per tile) and exists to tell which of two runtimes is right.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from onnx import helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from gdq_core.sensitivity.heads import Sensitivity
from gdq_runtime.bundle.manifest import Format, GraphSpec
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.base import Prediction

_DOMAIN = "gdq.reference"
_WALK = frozenset({"group", "strides", "dilations", "pads"})
"""Attributes of a Conv that ``IntegerConv`` has too; the shape of the kernel is the weight's."""


@dataclass(frozen=True)
class Walk:
    """How a convolution moves over its input; each pair is down and across.

    Attributes:
        group: number of groups of channels that are convolved separately.
        strides: pixels between two outputs.
        dilations: pixels between two taps of the kernel.
        pads: top, left, bottom, right, of the zero point.

    """

    group: int = 1
    strides: tuple[int, int] = (1, 1)
    dilations: tuple[int, int] = (1, 1)
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)


class IntegerConv(OpRun):
    """Codes, weights and bias as integers -> their sums times the product of the steps, float32."""

    op_domain = _DOMAIN

    def _run(
        self,
        x: Any,
        x_step: Any,
        x_zero: Any,
        w: Any,
        w_step: Any,
        bias: Any,
        group: Any = None,
        strides: Any = None,
        dilations: Any = None,
        pads: Any = None,
    ) -> tuple[Any]:
        walk = Walk(
            group or 1,
            tuple(strides or (1, 1)),
            tuple(dilations or (1, 1)),
            tuple(pads or (0, 0, 0, 0)),
        )
        sums = accumulate(x[0], int(x_zero), w, bias, walk)
        factors = x_step.astype(np.float64) * np.atleast_1d(w_step).astype(np.float64)
        return ((sums * factors[:, None, None])[None].astype(np.float32),)


def accumulate(
    codes: NDArray[np.uint8],
    zero_point: int,
    weight: NDArray[np.int8],
    bias: NDArray[np.int32],
    walk: Walk,
) -> NDArray[np.int64]:
    """Return the sums (O, H, W) of a convolution of codes (C, H, W), padded with the zero point.

    The products are summed in double precision, which holds integers below 2^53 exactly; these
    stay below 2^31, as the runtimes' own accumulators must.
    """
    windows = _windows(codes.astype(np.float64) - zero_point, weight.shape[2:], walk)
    _, rows, columns, _, _ = windows.shape
    channels, outputs = len(codes) // walk.group, len(weight) // walk.group
    sums = np.empty((len(weight), rows, columns))
    for number in range(walk.group):
        seen = windows[number * channels : (number + 1) * channels]
        own = slice(number * outputs, (number + 1) * outputs)
        patches = seen.transpose(0, 3, 4, 1, 2).reshape(-1, rows * columns)
        products = weight[own].reshape(outputs, -1).astype(np.float64) @ patches
        sums[own] = products.reshape(outputs, rows, columns)
    assert np.abs(sums).max() < 2**31, "a runtime's accumulators would overflow"
    return sums.astype(np.int64) + bias[:, None, None]


def _windows(
    centred: NDArray[np.float64], kernel: tuple[int, ...], walk: Walk
) -> NDArray[np.float64]:
    """Return (C, rows, columns, kernel rows, kernel columns): the window of each output."""
    top, left, bottom, right = walk.pads
    padded = np.pad(centred, ((0, 0), (top, bottom), (left, right)))
    spans = [(side - 1) * step + 1 for side, step in zip(kernel, walk.dilations, strict=True)]
    windows = sliding_window_view(padded, spans, axis=(1, 2))
    return windows[
        :, :: walk.strides[0], :: walk.strides[1], :: walk.dilations[0], :: walk.dilations[1]
    ]


class NumpyEngine:
    """Runs a bundle's ONNX graphs; any tile size."""

    name = "numpy"
    graph_format: Format = "onnx"
    accelerator_asked = accelerator_used = "NumPy, exact integers"

    def __init__(self, bundle: Bundle) -> None:
        """Prepare the engine.

        Raises:
            BundleError: the bundle has no ONNX graphs.
        """
        bundle.require(self.graph_format, self.name)
        self._bundle = bundle
        self._evaluators: dict[str, ReferenceEvaluator] = {}

    def predict(self, tile: NDArray[np.uint8]) -> Prediction:
        """See ``Engine.predict``."""
        logits, entropy, bit_width = self._call(self._bundle.manifest.predictor, tile)
        return Prediction(logits.reshape(-1), float(entropy.item()), int(bit_width.item()))

    def sense(self, tile: NDArray[np.uint8]) -> Sensitivity:
        """See ``Engine.sense``."""
        (heads,) = self._call(self._bundle.manifest.predictor, tile)
        return Sensitivity(*heads.ravel().tolist())

    def run(self, bit_width: int, tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See ``Engine.run``."""
        (picture,) = self._call(self._bundle.subgraph(bit_width), tile)
        return np.asarray(picture[0], np.uint8)

    def close(self) -> None:
        """See ``Engine.close``."""
        self._evaluators.clear()

    def _call(self, graph: GraphSpec, tile: NDArray[np.uint8]) -> list[NDArray[Any]]:
        assert graph.onnx is not None, "the bundle was asked for its formats"
        if graph.onnx not in self._evaluators:
            model = with_integer_convs(self._bundle.file(graph.onnx))
            self._evaluators[graph.onnx] = ReferenceEvaluator(model, new_ops=[IntegerConv])
        names = [tensor.name for tensor in graph.outputs]
        answers = self._evaluators[graph.onnx].run(names, {graph.inputs[0].name: tile[np.newaxis]})
        return [np.asarray(answer) for answer in answers]


def with_integer_convs(path: Path) -> onnx.ModelProto:
    """Read a graph and replace each convolution of dequantized inputs by ``IntegerConv``.

    A convolution that ``IntegerConv`` cannot express stays ONNX's own, which sums in float.
    """
    model = onnx.load(path)
    dequantized = {
        node.output[0]: node for node in model.graph.node if node.op_type == "DequantizeLinear"
    }
    for node in model.graph.node:
        if node.op_type == "Conv" and _is_summed_exactly(node, dequantized):
            x, w, bias = (dequantized[name].input for name in node.input)
            walk = [attribute for attribute in node.attribute if attribute.name in _WALK]
            inputs = [*x, *w[:2], bias[0]]
            node.CopyFrom(
                helper.make_node("IntegerConv", inputs, list(node.output), domain=_DOMAIN)
            )
            node.attribute.extend(walk)
    model.opset_import.append(helper.make_opsetid(_DOMAIN, 1))
    return model


def _is_summed_exactly(conv: onnx.NodeProto, dequantized: dict[str, onnx.NodeProto]) -> bool:
    """Tell whether codes have a zero point, weights and bias none, and pads are written out."""
    if len(conv.input) != 3 or not all(name in dequantized for name in conv.input):
        return False
    x, w, bias = (dequantized[name].input for name in conv.input)
    auto_pad = next((one.s for one in conv.attribute if one.name == "auto_pad"), b"NOTSET")
    return len(x) == 3 and len(w) == len(bias) == 2 and auto_pad == b"NOTSET"
