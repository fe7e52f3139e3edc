"""Networks of a few nodes, built by hand as tracing or an earlier pass would leave them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import ArrayLike, NDArray

from gdq_exporter.ir import editing

Array = NDArray[np.float32]


def random(*shape: int, seed: int = 0) -> Array:
    """Standard normal values."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def random_codes(*shape: int, seed: int = 0) -> NDArray[np.int8]:
    """Weights of -127..127."""
    return np.random.default_rng(seed).integers(-127, 128, shape).astype(np.int8)


class Network:
    """A network under construction.

    Attributes:
        x: its input (1, channels, height, width), float32.
    """

    def __init__(self, channels: int = 3) -> None:
        self.x = ir.val("tile", ir.DataType.FLOAT, [1, channels, "height", "width"])
        self._tape = ir.tape.Tape()

    def constant(self, values: ArrayLike, dtype: Any = np.float32) -> ir.Value:
        name = f"c{len(self._tape.initializers)}"
        return self._tape.initializer(ir.tensor(np.asarray(values, dtype), name=name))

    def op(
        self, op_type: str, *inputs: ir.Value | None, domain: str = "", **attributes: Any
    ) -> ir.Value:
        return self._tape.op(op_type, inputs, attributes, domain=domain)

    def conv(
        self,
        x: ir.Value,
        weight: ir.Value | ArrayLike,
        bias: ir.Value | ArrayLike | None = None,
        **attributes: Any,
    ) -> ir.Value:
        """A 3x3 conv, padded to keep the size unless ``pads`` says something else."""
        inputs = [x, self._as_value(weight)] + ([] if bias is None else [self._as_value(bias)])
        return self.op("Conv", *inputs, **{"pads": [1, 1, 1, 1], **attributes})

    def integer_weight(self, codes: ArrayLike, step: ArrayLike) -> ir.Value:
        """Weights as ``IntegerWeightsPass`` leaves them; a step per channel lies on axis 0."""
        axis: dict[str, Any] = {"axis": 0} if np.ndim(step) else {}
        return self.op(
            "DequantizeLinear", self.constant(codes, np.int8), self.constant(step), **axis
        )

    def weight_quant(self, weight: ArrayLike, step: float) -> ir.Value:
        value = self.op("WeightQuant", self.constant(weight), self.constant(step), domain="gdq")
        value.shape, value.dtype = ir.Shape(np.shape(weight)), ir.DataType.FLOAT
        return value

    def act_quant(self, x: ir.Value, steps: ArrayLike, *, signed: bool) -> ir.Value:
        return self.op("ActQuant", x, self.constant(steps), domain="gdq", signed=int(signed))

    def quantized(self, x: ir.Value, step: float, zero_point: int, top: int = 255) -> ir.Value:
        """A tensor as ``SpecialiseBitWidthPass`` leaves it."""
        step_value, zero = self.constant(step), self.constant(zero_point, np.uint8)
        codes = self.op("QuantizeLinear", x, step_value, zero)
        if top < 255:
            codes = self.op("Clip", codes, None, self.constant(top, np.uint8))
        return self.op("DequantizeLinear", codes, step_value, zero)

    def batch_norm(
        self, x: ir.Value, gamma: ArrayLike, beta: ArrayLike, mean: ArrayLike, variance: ArrayLike
    ) -> ir.Value:
        statistics = [self.constant(values) for values in (gamma, beta, mean, variance)]
        return self.op("BatchNormalization", x, *statistics, epsilon=1e-5)

    def model(self, *outputs: ir.Value) -> ir.Model:
        """The network; every output is a (1, channels, height, width) float32 image."""
        for number, output in enumerate(outputs):
            output.name = f"output{number}" if number else "output"
            output.dtype = ir.DataType.FLOAT
            output.shape = output.shape or ir.Shape([1, f"c{number}", f"h{number}", f"w{number}"])
        graph = ir.Graph(
            [self.x],
            outputs,
            nodes=self._tape.nodes,
            initializers=self._tape.initializers,
            opset_imports={"": 20, "gdq": 1},
            name="network",
        )
        return ir.Model(graph, ir_version=10)

    def _as_value(self, value: ir.Value | ArrayLike) -> ir.Value:
        return value if isinstance(value, ir.Value) else self.constant(value)


def operators(model: ir.Model) -> dict[str, int]:
    """How often each operator occurs."""
    return dict(Counter(node.op_type for node in model.graph))


def only(model: ir.Model, op_type: str) -> ir.Node:
    """The one node of an operator."""
    (node,) = (node for node in model.graph if node.op_type == op_type)
    return node


def array(value: ir.Value | None) -> NDArray[Any]:
    """The content of a constant."""
    content = editing.constant(value)
    assert content is not None
    return content
