"""The passes in their order, each with the reason for its place. Read this file first."""

from __future__ import annotations

from collections.abc import Mapping

import onnx_ir as ir

from gdq_core.bit_widths import BitWidth
from gdq_exporter.ir.quantization import QuantizationPoint
from gdq_exporter.passes.choose_steps import ChooseStepsPass
from gdq_exporter.passes.expand_merged_tail import ExpandMergedTailPass
from gdq_exporter.passes.explicit_bias import ExplicitBiasPass
from gdq_exporter.passes.fold_batchnorm import FoldBatchNormPass
from gdq_exporter.passes.fold_offset import FoldOffsetPass
from gdq_exporter.passes.fold_rescaling import FoldRescalingPass
from gdq_exporter.passes.integer_biases import IntegerBiasesPass
from gdq_exporter.passes.integer_tail import IntegerTailPass
from gdq_exporter.passes.integer_weights import IntegerWeightsPass
from gdq_exporter.passes.lower_prelu import LowerPReluPass
from gdq_exporter.passes.merge_linear_tail import MergeLinearTailPass
from gdq_exporter.passes.order_depth_to_space import OrderDepthToSpacePass
from gdq_exporter.passes.specialise_bit_width import SpecialiseBitWidthPass


def shared_passes(*, integer_tail: bool) -> list[ir.passes.PassBase]:
    """Return what is the same for all bit-widths; run once on the traced network."""
    return [
        # First: float factors disappear while the convs beside them still hold float weights.
        FoldRescalingPass(),
        # After the factors, so that an offset finds its conv directly before it.
        FoldOffsetPass(),
        # Learned weights become integers before anything could change their real values.
        IntegerWeightsPass(),
        # Works on integer weights: factors go into the steps, the integers stay.
        FoldBatchNormPass(),
        # After folding, which may have given a conv its bias.
        ExplicitBiasPass(),
        LowerPReluPass(),
        # Needs explicit biases; leaves one pixel shuffle, already in the order of the next pass.
        MergeLinearTailPass(),
        # Permutes float weights, so before the next pass quantizes them.
        OrderDepthToSpacePass(),
        *([IntegerTailPass()] if integer_tail else []),
    ]


def width_passes(bit_width: BitWidth) -> list[ir.passes.PassBase]:
    """Choose the bit-width; calibration then observes a network whose body is final."""
    return [SpecialiseBitWidthPass(bit_width)]


def step_passes(points: Mapping[str, QuantizationPoint]) -> list[ir.passes.PassBase]:
    """Choose the steps, from the calibrated points of the specialised network."""
    return [ChooseStepsPass(points)]


def runnable_passes() -> list[ir.passes.PassBase]:
    """Expand what only our engine runs; calibration too needs standard operators."""
    return [ExpandMergedTailPass()]


def integer_passes() -> list[ir.passes.PassBase]:
    """Finish for ONNX and TFLite, whose integer convs need integer biases; our engine's do not."""
    return [
        *runnable_passes(),
        # Last: a bias counts in units of its conv's input step, known only now.
        IntegerBiasesPass(),
    ]
