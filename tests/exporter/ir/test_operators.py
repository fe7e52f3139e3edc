from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from exporter.networks import Array
from gdq_core.bit_widths import BIT_WIDTHS
from gdq_exporter.ir import operators
from gdq_models import ActivationQuantizer, WeightQuantizer

VALUES = hnp.arrays(np.float32, (1, 3, 4, 4), elements=st.floats(-300, 300, width=32))
STEPS = st.lists(st.floats(2.0**-10, 16, width=32), min_size=4, max_size=4)


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("bit_width", BIT_WIDTHS)
@settings(max_examples=25)
@given(x=VALUES, steps=STEPS)
def test_act_quant_is_torch_s_bit_for_bit(
    bit_width: int, signed: bool, x: Array, steps: list[float]
) -> None:
    quantizer = ActivationQuantizer().eval()
    quantizer.set_steps(steps, signed=signed)
    route = (torch.tensor([BIT_WIDTHS]) == bit_width).float()
    with torch.no_grad():
        expected = quantizer(torch.from_numpy(x), route).numpy()
    got = operators.act_quant(x, np.array(steps, np.float32), bit_width, signed=signed)
    np.testing.assert_array_equal(got, expected)
    assert got.dtype == np.float32


@settings(max_examples=25)
@given(weight=VALUES, step=st.floats(2.0**-10, 16, width=32))
def test_weight_quant_is_torch_s_bit_for_bit(weight: Array, step: float) -> None:
    quantizer = WeightQuantizer().eval()
    quantizer.set_step(step)
    with torch.no_grad():
        expected = quantizer(torch.from_numpy(weight)).numpy()
    np.testing.assert_array_equal(operators.weight_quant(weight, np.float32(step)), expected)


def test_quantize_clips_before_it_rounds_halves_to_even() -> None:
    x = np.array([-9, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 9], np.float32)
    codes = operators.quantize(x, np.float32(1), -3, 3)
    np.testing.assert_array_equal(codes, [-3, -2, -2, 0, 0, 2, 2, 3])


def test_quantize_with_a_step_per_channel() -> None:
    x = np.full((2, 1, 1, 1), 6, np.float32)
    steps = np.array([2, 3], np.float32).reshape(2, 1, 1, 1)
    np.testing.assert_array_equal(operators.quantize(x, steps, -8, 7).ravel(), [3, 2])
