"""Traced network -> one integer network per bit-width."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from gdq_core.bit_widths import BitWidth
from gdq_exporter.calibration import calibrate
from gdq_exporter.config import Profile
from gdq_exporter.ir.invariants import check_lowered, check_traced
from gdq_exporter.passes.choose_steps import unquantized
from gdq_exporter.passes.order import (
    integer_passes,
    runnable_passes,
    shared_passes,
    step_passes,
    width_passes,
)
from gdq_exporter.passes.running import run_passes


@dataclass(frozen=True, eq=False)
class LoweredNetwork:
    """The network at one bit-width: standard operators, quantize-dequantize form."""

    bit_width: BitWidth
    model: ir.Model
    """Input (1, 3, height, width) float32 0..255; output the same range at scale."""
    compact: ir.Model
    """The same for our own engine: real biases, a merged tail in one piece (gdq::MergedTail)."""


def lower_shared(traced: ir.Model, profile: Profile) -> ir.Model:
    """Run the passes that do not depend on the bit-width.

    Raises:
        ExportError: the network has an operator that cannot be written.
    """
    check_traced(traced)
    return run_passes(
        traced, shared_passes(integer_tail=profile.integer_tail), "for all bit-widths"
    )


def lower_width(shared: ir.Model, bit_width: BitWidth, tiles: NDArray[np.uint8]) -> LoweredNetwork:
    """Specialise the shared network to a bit-width; ``tiles`` (N, size, size, 3) calibrate it."""
    stage = f"at {bit_width} bits"
    compact = run_passes(shared.clone(), width_passes(bit_width), stage)
    runnable = run_passes(compact.clone(), runnable_passes(), stage)
    points = calibrate(runnable, unquantized(runnable), tiles)
    compact = run_passes(compact, step_passes(points), stage)
    model = run_passes(compact.clone(), integer_passes(), stage)
    check_lowered(model)
    return LoweredNetwork(bit_width, model, compact)
