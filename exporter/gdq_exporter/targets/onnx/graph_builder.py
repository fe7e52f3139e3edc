"""Builds a graph node by node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import ArrayLike, NDArray

_OPSET = 20

Branch = Callable[["GraphBuilder"], Sequence[ir.Value]]
"""Builds one side of a choice; it may use what was made before the choice."""


class GraphBuilder:
    """A tape of standard ONNX operators with typed constants."""

    def __init__(self, prefix: str = "") -> None:
        self._tape = ir.tape.Tape()
        self._prefix = prefix
        """Of the names it gives; those in a branch must differ from all others."""
        self._branches = 0

    def op(self, op_type: str, *inputs: ir.Value | None, **attributes: Any) -> ir.Value:
        """Add an operator with one output."""
        return self._tape.op(op_type, inputs, attributes)

    def split(self, x: ir.Value, parts: int, axis: int) -> Sequence[ir.Value]:
        """Split into parts of equal length; the last may be shorter."""
        attributes = {"axis": axis, "num_outputs": parts}
        return self._tape.op_multi_out("Split", [x], attributes, num_outputs=parts)

    def choice(
        self, condition: ir.Value, then: Branch, otherwise: Branch, outputs: int
    ) -> Sequence[ir.Value]:
        """Add an If; a runtime that knows the condition when loading drops the other branch.

        Args:
            condition: one bool.
            then: makes the values if it holds.
            otherwise: makes them if not.
            outputs: how many values.
        """
        branches = {"then_branch": self._branch(then), "else_branch": self._branch(otherwise)}
        return self._tape.op_multi_out("If", [condition], branches, num_outputs=outputs)

    def float32(self, values: ArrayLike) -> ir.Value:
        """Return a float32 constant."""
        return self._constant(np.asarray(values, np.float32))

    def int64(self, *values: int) -> ir.Value:
        """Return an int64 vector, as operators take shapes, axes and indices."""
        return self._constant(np.array(values, np.int64))

    def matrix_int64(self, values: NDArray[np.int64]) -> ir.Value:
        """Return an int64 constant of any shape."""
        return self._constant(values.astype(np.int64))

    def model(self, inputs: Sequence[ir.Value], outputs: Sequence[ir.Value]) -> ir.Model:
        """Return the finished graph."""
        graph = ir.Graph(
            inputs,
            outputs,
            nodes=self._tape.nodes,
            initializers=self._tape.initializers,
            opset_imports={"": _OPSET},
            name="network",
        )
        return ir.Model(graph, ir_version=10)

    def _branch(self, build: Branch) -> ir.Graph:
        name = f"{self._prefix}b{self._branches}"
        self._branches += 1
        inside = GraphBuilder(f"{name}_")
        outputs = build(inside)
        nodes, constants = inside._tape.nodes, inside._tape.initializers
        for number, value in enumerate(value for node in nodes for value in node.outputs):
            value.name = f"{name}_{number}"
        return ir.Graph([], outputs, nodes=nodes, initializers=constants, name=name)

    def _constant(self, array: np.ndarray[Any, Any]) -> ir.Value:
        number = len(self._tape.initializers)
        return self._tape.initializer(ir.tensor(array, name=f"{self._prefix}c{number}"))
