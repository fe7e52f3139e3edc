"""The oracle: ONNX's own reference evaluator, and convolutions in exact integer arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from gdq_exporter.ir import operators


class WeightQuant(OpRun):
    op_domain = operators.DOMAIN

    def _run(self, w: NDArray[np.float32], step: NDArray[np.float32]) -> tuple[Any]:
        return (operators.weight_quant(w, np.float32(step.item())),)


def _act_quant(bit_width: int) -> type[OpRun]:
    class ActQuant(OpRun):
        op_domain = operators.DOMAIN

        def _run(
            self, x: NDArray[np.float32], steps: NDArray[np.float32], signed: int
        ) -> tuple[Any]:
            return (operators.act_quant(x, steps, bit_width, signed=bool(signed)),)

    return ActQuant


class MergedTail(OpRun):
    """Every pixel by the kernel of its place, with nothing in common between places."""

    op_domain = operators.DOMAIN

    def _run(
        self, x: NDArray[np.float32], weight: NDArray[np.float64], bias: NDArray[np.float64]
    ) -> tuple[Any]:
        radius = weight.shape[-1] // 2
        padded = np.pad(x[0].astype(np.float64), ((0, 0), (radius, radius), (radius, radius)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, weight.shape[-2:], axis=(1, 2))
        _, height, width = x[0].shape
        y = np.empty((weight.shape[1], height, width))
        for row, column in np.ndindex(height, width):
            place = 3 * _place(row, height) + _place(column, width)
            window = windows[:, row, column]
            y[:, row, column] = np.einsum("cuv,ocuv->o", window, weight[place]) + bias[place]
        return (y[None].astype(np.float32),)


def _place(index: int, count: int) -> int:
    """0 the first, 2 the last, 1 all others."""
    return 0 if index == 0 else 2 if index == count - 1 else 1


def execute(
    model: ir.Model, x: NDArray[Any], bit_width: int = 8, *, also: tuple[ir.Value, ...] = ()
) -> list[NDArray[Any]]:
    """The outputs for one input, then ``also``, values inside; quantizers at ``bit_width``."""
    names = [value.name for value in (*model.graph.outputs, *also)]
    tile = model.graph.inputs[0].name
    assert tile is not None
    new_ops: list[type[OpRun]] = [_act_quant(bit_width), WeightQuant, MergedTail]
    evaluator = ReferenceEvaluator(ir.to_proto(model), new_ops=new_ops)
    results = evaluator.run(names, {tile: x})
    assert isinstance(results, list)
    return results


def output(model: ir.Model, x: NDArray[Any], bit_width: int = 8) -> NDArray[Any]:
    """The first output for one input."""
    return execute(model, x, bit_width)[0]


def accumulate(
    codes: NDArray[np.uint8],
    zero_point: int,
    weight: NDArray[np.int8],
    bias: NDArray[np.int32],
) -> NDArray[np.int64]:
    """Accumulators (1, O, H, W) of a 3x3 conv, padded with the zero point, without rounding."""
    centred = codes[0].astype(np.int64) - zero_point
    padded = np.pad(centred, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    sums = np.einsum("chwuv,ocuv->ohw", windows, weight.astype(np.int64))
    accumulators: NDArray[np.int64] = (sums + bias[:, None, None])[None]
    return accumulators


def requantize(
    accumulators: NDArray[np.int64],
    factor: NDArray[np.float64],
    zero_point: int,
    top: int = 255,
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Codes ``clip(round(accumulator * factor) + zero_point, 0, top)``, halves to even.

    Args:
        accumulators: (1, O, H, W).
        factor: (O,), input step x weight step / output step.
        zero_point: of the output.
        top: its largest code.

    Returns:
        Codes, and where the product is a tie to within float32's precision.
    """
    real = accumulators * factor[:, None, None]
    codes = np.clip(np.rint(real) + zero_point, 0, top).astype(np.uint8)
    tied = np.abs(real - np.floor(real) - 0.5) < 1e-6 * np.maximum(np.abs(real), 1)
    return codes, tied
