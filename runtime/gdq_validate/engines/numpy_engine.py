"""The bundle's ONNX graphs in NumPy: the integer convolutions in exact integer arithmetic.

Independent of every runtime: ONNX's reference evaluator walks the graph, and a convolution whose
inputs are all integers behind DequantizeLinear is summed without rounding. It is slow (seconds a
tile) and exists to tell which of two runtimes is right.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from onnx import helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from gdq_runtime.bundle.manifest import GraphSpec
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.base import Prediction

_DOMAIN = "gdq.reference"


class IntegerConv(OpRun):
    """Codes, weights and bias as integers -> their sums times the product of the steps, float32."""

    op_domain = _DOMAIN

    def _run(self, x: Any, x_step: Any, x_zero: Any, w: Any, w_step: Any, bias: Any) -> tuple[Any]:
        sums = accumulate(x[0], int(x_zero), w, bias)
        factors = x_step.astype(np.float64) * np.atleast_1d(w_step).astype(np.float64)
        return ((sums * factors[:, None, None])[None].astype(np.float32),)


def accumulate(
    codes: NDArray[np.uint8], zero_point: int, weight: NDArray[np.int8], bias: NDArray[np.int32]
) -> NDArray[np.int64]:
    """Sums (O, H, W) of a convolution of codes (C, H, W), padded with the zero point.

    The products are summed in double precision, which holds integers below 2^53 exactly; these
    stay below 2^31, as the runtimes' own accumulators must.
    """
    centred = codes.astype(np.float64) - zero_point
    outputs, _, height, width = weight.shape
    edges = ((0, 0), (height // 2, height // 2), (width // 2, width // 2))
    windows = sliding_window_view(np.pad(centred, edges), (height, width), axis=(1, 2))
    _, rows, columns, _, _ = windows.shape
    patches = windows.transpose(0, 3, 4, 1, 2).reshape(-1, rows * columns)
    sums = weight.reshape(outputs, -1).astype(np.float64) @ patches
    assert np.abs(sums).max() < 2**31, "a runtime's accumulators would overflow"
    return sums.reshape(outputs, rows, columns).astype(np.int64) + bias[:, None, None]


class NumpyEngine:
    """Runs a bundle's ONNX graphs; any tile size."""

    name = "numpy"
    accelerator_asked = accelerator_used = "NumPy, exact integers"

    def __init__(self, bundle: Bundle) -> None:
        """Prepares the engine.

        Raises:
            BundleError: the bundle has no ONNX graphs.
        """
        bundle.require("onnx", self.name)
        self._bundle = bundle
        self._evaluators: dict[str, ReferenceEvaluator] = {}

    def predict(self, tile: NDArray[np.uint8]) -> Prediction:
        """See ``Engine.predict``."""
        logits, entropy, bit_width = self._call(self._bundle.manifest.predictor, tile)
        return Prediction(logits.reshape(-1), float(entropy.item()), int(bit_width.item()))

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
    """Reads a graph and replaces each convolution of dequantized inputs by ``IntegerConv``."""
    model = onnx.load(path)
    dequantized = {
        node.output[0]: node for node in model.graph.node if node.op_type == "DequantizeLinear"
    }
    for node in model.graph.node:
        if node.op_type == "Conv" and all(name in dequantized for name in node.input):
            x, w, bias = (dequantized[name].input for name in node.input)
            node.CopyFrom(
                helper.make_node(
                    "IntegerConv", [*x, *w[:2], bias[0]], list(node.output), domain=_DOMAIN
                )
            )
    model.opset_import.append(helper.make_opsetid(_DOMAIN, 1))
    return model
