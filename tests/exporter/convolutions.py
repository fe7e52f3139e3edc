"""Convolutions of all forms that ONNX has, drawn at random, with small sizes."""

from __future__ import annotations

from dataclasses import dataclass
from math import lcm
from typing import Any

import onnx_ir as ir
import onnxruntime as ort
from hypothesis import settings
from hypothesis import strategies as st

from exporter import oracle
from exporter.networks import Array, Network, random, random_codes

CALM = settings(max_examples=25)
"""Enough to meet every attribute several times; the evaluator takes a millisecond."""

_SIZE = 9
"""Of the input: no kernel drawn here reaches further."""


@dataclass(frozen=True)
class Drawn:
    """A convolution; ``attributes`` are ONNX's."""

    inputs: int
    outputs: int
    kernel: tuple[int, int]
    attributes: dict[str, Any]
    has_bias: bool
    transposed: bool
    seed: int

    @property
    def weight_shape(self) -> tuple[int, ...]:
        group = self.attributes["group"]
        if self.transposed:
            return (self.inputs, self.outputs // group, *self.kernel)
        return (self.outputs, self.inputs // group, *self.kernel)

    @property
    def x(self) -> Array:
        """An input for it."""
        return random(1, self.inputs, _SIZE, _SIZE + 2, seed=self.seed + 1)

    def add_to(self, network: Network, x: ir.Value, *, integer_step: Any = None) -> ir.Value:
        """Float weights, or integers with a step: one, or one for each output channel."""
        weight: Any = random(*self.weight_shape, seed=self.seed)
        if integer_step is not None:
            codes = random_codes(*self.weight_shape, seed=self.seed)
            weight = network.integer_weight(codes, integer_step)
        else:
            weight = network.constant(weight)
        inputs = [x, weight]
        if self.has_bias:
            inputs.append(network.constant(random(self.outputs, seed=self.seed + 2)))
        return network.op(
            "ConvTranspose" if self.transposed else "Conv", *inputs, **self.attributes
        )

    def per_output(self, seed: int) -> Array:
        """(O,) numbers."""
        return random(self.outputs, seed=seed)


def execute(drawn: Drawn, model: ir.Model) -> list[Array]:
    """The outputs for ``drawn.x``: by ONNX's evaluator, or, transposed, by ONNX Runtime.

    The evaluator's transposed convolution takes no groups of more than one output channel.
    """
    if not drawn.transposed:
        return oracle.execute(model, drawn.x)
    proto = ir.to_proto(model)
    del proto.opset_import[1:]  # of quantizers, which are not there
    session = ort.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    outputs: list[Array] = session.run(None, {session.get_inputs()[0].name: drawn.x})
    return outputs


@st.composite
def convolutions(
    draw: st.DrawFn,
    *,
    transposed: bool | None = False,
    outputs_multiple_of: int = 1,
    smallest_bias: bool = False,
) -> Drawn:
    """Groups, strides, dilations, pads and ``auto_pad``; ``transposed`` None draws both kinds."""
    is_transposed = draw(st.booleans()) if transposed is None else transposed
    group = draw(st.integers(1, 4))
    step = lcm(group, outputs_multiple_of)
    pairs = st.tuples(st.integers(1, 2), st.integers(1, 2))
    attributes: dict[str, Any] = {
        "group": group,
        "strides": draw(pairs),
        "dilations": draw(pairs),
    }
    if draw(st.integers(0, 4)) == 0 and not is_transposed:
        attributes["auto_pad"] = draw(st.sampled_from(["VALID", "SAME_UPPER", "SAME_LOWER"]))
        attributes["dilations"] = (1, 1)  # the reference evaluator counts them wrongly here
    else:
        attributes["pads"] = draw(st.lists(st.integers(0, 2), min_size=4, max_size=4))
    return Drawn(
        inputs=group * draw(st.integers(1, 2)),
        outputs=step * draw(st.integers(1, 2)),
        kernel=draw(st.tuples(st.integers(1, 3), st.integers(1, 3))),
        attributes=attributes,
        has_bias=smallest_bias or draw(st.booleans()),
        transposed=is_transposed,
        seed=draw(st.integers(0, 1000)),
    )
