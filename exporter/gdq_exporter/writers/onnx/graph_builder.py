"""Builds a graph node by node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import ArrayLike, NDArray

_OPSET = 20


class GraphBuilder:
    """A tape of standard ONNX operators with typed constants."""

    def __init__(self) -> None:
        self._tape = ir.tape.Tape()

    def op(self, op_type: str, *inputs: ir.Value | None, **attributes: Any) -> ir.Value:
        """Adds an operator with one output."""
        return self._tape.op(op_type, inputs, attributes)

    def float32(self, values: ArrayLike) -> ir.Value:
        """A float32 constant."""
        return self._constant(np.asarray(values, np.float32))

    def int64(self, *values: int) -> ir.Value:
        """An int64 vector, as operators take shapes, axes and indices."""
        return self._constant(np.array(values, np.int64))

    def matrix_int64(self, values: NDArray[np.int64]) -> ir.Value:
        """An int64 constant of any shape."""
        return self._constant(values.astype(np.int64))

    def model(self, inputs: Sequence[ir.Value], outputs: Sequence[ir.Value]) -> ir.Model:
        """The finished graph."""
        graph = ir.Graph(
            inputs,
            outputs,
            nodes=self._tape.nodes,
            initializers=self._tape.initializers,
            opset_imports={"": _OPSET},
            name="network",
        )
        return ir.Model(graph, ir_version=10)

    def _constant(self, array: np.ndarray[Any, Any]) -> ir.Value:
        number = len(self._tape.initializers)
        return self._tape.initializer(ir.tensor(array, name=f"c{number}"))
