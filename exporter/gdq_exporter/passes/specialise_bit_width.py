"""One activation bit-width, chosen for the whole network."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from gdq_core.bit_widths import BIT_WIDTHS, BitWidth
from gdq_exporter.ir import editing, operators, quantization


class SpecialiseBitWidthPass(ir.passes.InPlacePass):
    """Turns ``gdq::ActQuant`` into QuantizeLinear, Clip, DequantizeLinear at one bit-width.

    Codes are uint8 everywhere (mixed signs keep ONNX Runtime from fusing): zero point 2^(b-1) for
    signed tensors, 0 for unsigned ones, so the type's saturation is the lower bound and one
    integer Clip the upper one. The learned step is written as it is.
    """

    def __init__(self, bit_width: BitWidth) -> None:
        assert bit_width in BIT_WIDTHS
        self._bit_width = bit_width

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Specialise every activation quantizer."""
        found = list(editing.nodes_of(model, operators.ACT_QUANT, operators.DOMAIN))
        for node in found:
            self._specialise(model, node)
        if found:
            editing.drop_unused(model)
        return ir.passes.PassResult(model, bool(found))

    def requires(self, model: ir.Model) -> None:
        """Every quantizer has a stored step above zero for each bit-width."""
        for node in editing.nodes_of(model, operators.ACT_QUANT, operators.DOMAIN):
            steps = editing.constant(node.inputs[1])
            if steps is None or steps.shape != (len(BIT_WIDTHS),) or not (steps > 0).all():
                name = editing.input_of(node, 0).name
                raise ir.passes.PreconditionError(f"the steps of {name!r} are not all above zero")

    def ensures(self, model: ir.Model) -> None:
        """No quantizer is left without a bit-width."""
        if any(editing.nodes_of(model, operators.ACT_QUANT, operators.DOMAIN)):
            raise ir.passes.PostconditionError("a gdq::ActQuant is left")

    def _specialise(self, model: ir.Model, node: ir.Node) -> None:
        steps = editing.constant(node.inputs[1])
        assert steps is not None
        signed = bool(node.attributes.get_int("signed", 0))
        point = quantization.QuantizationPoint(
            step=np.float32(steps[BIT_WIDTHS.index(self._bit_width)]),
            zero_point=1 << (self._bit_width - 1) if signed else 0,
            top=(1 << self._bit_width) - 1,
        )
        source = editing.input_of(node, 0)
        editing.redirect(node.outputs[0], quantization.insert_before(model, node, source, point))
