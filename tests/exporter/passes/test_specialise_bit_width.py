from __future__ import annotations

import numpy as np
import onnx_ir as ir
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from exporter import oracle
from exporter.networks import Array, Network, array, only, operators
from gdq_core.bit_widths import BIT_WIDTHS, BitWidth
from gdq_exporter.ir import quantization
from gdq_exporter.passes.specialise_bit_width import SpecialiseBitWidthPass

STEPS = np.array([0.5, 0.25, 0.1, 0.03], np.float32)
VALUES = hnp.arrays(np.float32, (1, 1, 4, 4), elements=st.floats(-40, 40, width=32))


def specialised(bit_width: BitWidth, *, signed: bool) -> tuple[ir.Model, ir.Model]:
    """The network before and after."""
    network = Network(1)
    before = network.model(network.op("Relu", network.act_quant(network.x, STEPS, signed=signed)))
    after = before.clone()
    assert SpecialiseBitWidthPass(bit_width)(after).modified
    return before, after


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("bit_width", BIT_WIDTHS)
@given(x=VALUES)
def test_codes_and_values_are_training_s(bit_width: BitWidth, signed: bool, x: Array) -> None:
    """Codes clip(round(x / step), low, high) + zero point, whose value is training's, exactly."""
    before, after = specialised(bit_width, signed=signed)
    step = STEPS[BIT_WIDTHS.index(bit_width)]
    zero_point = 2 ** (bit_width - 1) if signed else 0
    low, high = -zero_point, 2**bit_width - 1 - zero_point
    expected = np.rint(np.clip(x / step, low, high)) + zero_point
    codes = only(after, "DequantizeLinear").inputs[0]
    assert codes is not None
    output, stored = oracle.execute(after, x, also=(codes,))
    assert stored.dtype == np.uint8
    np.testing.assert_array_equal(stored, expected)
    np.testing.assert_array_equal(output, oracle.output(before, x, bit_width))


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("bit_width", BIT_WIDTHS)
def test_both_ends_saturate_and_ties_go_to_even(bit_width: BitWidth, signed: bool) -> None:
    """Below the lowest code, above the highest, at each, half a step beyond, and between two."""
    before, after = specialised(bit_width, signed=signed)
    low = -(2 ** (bit_width - 1)) if signed else 0
    high = low + 2**bit_width - 1
    units = [-1e6, low - 1, low - 0.5, low, 0.5, 1.5, 2.5, high - 0.5, high, high + 0.5, 1e6]
    step = STEPS[BIT_WIDTHS.index(bit_width)]
    x = (np.array(units, np.float32) * step).reshape(1, 1, 1, -1)
    quantized = np.array([low, low, low, low, 0, 2, 2, np.rint(high - 0.5), high, high, high])
    expected = np.maximum(quantized.astype(np.float32) * step, 0).reshape(x.shape)
    np.testing.assert_array_equal(oracle.output(after, x), expected)
    np.testing.assert_array_equal(oracle.output(before, x, bit_width), expected)


@pytest.mark.parametrize("bit_width", BIT_WIDTHS)
def test_one_integer_clip_below_eight_bits(bit_width: BitWidth) -> None:
    """The type's own saturation is the rest; every constant is a scalar, or it would not fuse."""
    _, after = specialised(bit_width, signed=True)
    expected = {"QuantizeLinear": 1, "Clip": 1, "DequantizeLinear": 1, "Relu": 1}
    if bit_width == 8:
        del expected["Clip"]
    assert operators(after) == expected
    assert all(array(value).shape == () for value in after.graph.initializers.values())
    point = quantization.read(only(after, "DequantizeLinear").outputs[0])
    assert point == quantization.QuantizationPoint(
        step=STEPS[BIT_WIDTHS.index(bit_width)],
        zero_point=2 ** (bit_width - 1),
        top=2**bit_width - 1,
    )


def test_postcondition() -> None:
    before, _ = specialised(4, signed=True)
    with pytest.raises(ir.passes.PostconditionError, match="ActQuant is left"):
        SpecialiseBitWidthPass(4).ensures(before)
