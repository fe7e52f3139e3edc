"""The operators that graphs are made of, one function each: shapes, options and versions.

Images are NHWC. XNNPACK takes every operator here unless its docstring says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from gdq_exporter.targets.tflite.model_builder import GraphBuilder, Quantization, Tensor

_ACTIVATIONS = {
    False: schema.ActivationFunctionType.NONE,
    True: schema.ActivationFunctionType.RELU,
}
_ARITHMETIC = {
    "ADD": schema.AddOptionsT,
    "SUB": schema.SubOptionsT,
    "MUL": schema.MulOptionsT,
    "DIV": schema.DivOptionsT,
    "MAXIMUM": schema.MaximumMinimumOptionsT,
    "MINIMUM": schema.MaximumMinimumOptionsT,
    "SQUARED_DIFFERENCE": schema.SquaredDifferenceOptionsT,
}
_ONE = Quantization(np.float32(1 / 64))
"""Of the int8 code 64: exactly one, and far from the end of the range."""


def conv(
    graph: GraphBuilder,
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    *,
    strides: tuple[int, int] = (1, 1),
    dilations: tuple[int, int] = (1, 1),
    same: bool = False,
    relu: bool = False,
    quantization: Quantization | None = None,
) -> Tensor:
    """Add CONV_2D, float or int8.

    Args:
        graph: where it goes.
        x: (1, height, width, C).
        weight: (O, rows, columns, C).
        bias: (O,), int32 in units of input step x weight step if ``x`` is int8.
        strides: down and across.
        dilations: down and across.
        same: pad so that each side of the output is that of ``x`` over the stride; else do not.
        relu: clip at zero.
        quantization: of the output, if int8.
    """
    options = schema.Conv2DOptionsT()
    options.padding = schema.Padding.SAME if same else schema.Padding.VALID
    options.strideH, options.strideW = strides
    options.dilationHFactor, options.dilationWFactor = dilations
    options.fusedActivationFunction = _ACTIVATIONS[relu]
    sides = []
    for axis in (0, 1):
        reach = 0 if same else (weight.shape[axis + 1] - 1) * dilations[axis]
        sides.append((x.shape[axis + 1] - reach + strides[axis] - 1) // strides[axis])
    return graph.op(
        "CONV_2D",
        [x, weight, bias],
        (1, *sides, weight.shape[0]),
        x.dtype,
        options=options,
        version=1 if x.is_float else 3,
        quantization=quantization,
    )


def quantize(
    graph: GraphBuilder, x: Tensor, quantization: Quantization, dtype: Any = np.int8
) -> Tensor:
    """Add QUANTIZE: float to codes, rounded to the nearest, halves to even, saturated."""
    return graph.op("QUANTIZE", [x], x.shape, dtype, quantization=quantization)


def dequantize(graph: GraphBuilder, x: Tensor) -> Tensor:
    """Add DEQUANTIZE: codes to float."""
    return graph.op("DEQUANTIZE", [x], x.shape, version=2 if x.dtype == np.int8 else 1)


def move_codes(graph: GraphBuilder, x: Tensor, zero_point: int) -> Tensor:
    """Add MUL by one, which moves all int8 codes to another zero point, saturating."""
    assert x.quantization is not None
    options = schema.MulOptionsT()
    options.fusedActivationFunction = _ACTIVATIONS[False]
    one = graph.constant([64], np.int8, _ONE)
    moved = Quantization(x.quantization.step, zero_point)
    return graph.op(
        "MUL", [x, one], x.shape, np.int8, options=options, version=2, quantization=moved
    )


def arithmetic(graph: GraphBuilder, operator: str, a: Tensor, b: Tensor) -> Tensor:
    """Add one of ``_ARITHMETIC`` on floats, with broadcasting."""
    options = _ARITHMETIC[operator]()
    if hasattr(options, "fusedActivationFunction"):
        options.fusedActivationFunction = _ACTIVATIONS[False]
    return graph.op(operator, [a, b], np.broadcast_shapes(a.shape, b.shape), options=options)


def unary(graph: GraphBuilder, operator: str, x: Tensor, options: Any = None) -> Tensor:
    """Add RELU, EXP, NEG, LOG, SQRT or another float operator that keeps the shape."""
    return graph.op(operator, [x], x.shape, options=options)


def leaky_relu(graph: GraphBuilder, x: Tensor, slope: float) -> Tensor:
    """Add LEAKY_RELU of floats: one slope below zero."""
    options = schema.LeakyReluOptionsT()
    options.alpha = slope
    return unary(graph, "LEAKY_RELU", x, options)


def prelu(graph: GraphBuilder, x: Tensor, slopes: Tensor) -> Tensor:
    """Add PRELU of floats: (1, 1, C) slopes below zero."""
    return graph.op("PRELU", [x, slopes], x.shape)


def depth_to_space(graph: GraphBuilder, x: Tensor, block: int) -> Tensor:
    """Add DEPTH_TO_SPACE in the order DCR, of floats or codes."""
    options = schema.DepthToSpaceOptionsT()
    options.blockSize = block
    _, height, width, channels = x.shape
    return graph.op(
        "DEPTH_TO_SPACE",
        [x],
        (1, height * block, width * block, channels // block**2),
        x.dtype,
        options=options,
        quantization=x.quantization,
    )


def space_to_depth(graph: GraphBuilder, x: Tensor, block: int) -> Tensor:
    """Add SPACE_TO_DEPTH in the order DCR, of floats."""
    options = schema.SpaceToDepthOptionsT()
    options.blockSize = block
    _, height, width, channels = x.shape
    shape = (1, height // block, width // block, channels * block**2)
    return graph.op("SPACE_TO_DEPTH", [x], shape, options=options)


def pool(graph: GraphBuilder, operator: str, x: Tensor, side: int) -> Tensor:
    """MAX_POOL_2D or AVERAGE_POOL_2D of floats over squares side by side."""
    options = schema.Pool2DOptionsT()
    options.padding = schema.Padding.VALID
    options.strideH = options.strideW = options.filterHeight = options.filterWidth = side
    options.fusedActivationFunction = _ACTIVATIONS[False]
    _, height, width, channels = x.shape
    return graph.op(operator, [x], (1, height // side, width // side, channels), options=options)


def transpose(graph: GraphBuilder, x: Tensor, *axes: int) -> Tensor:
    """Add TRANSPOSE of floats: axis ``i`` of the result is axis ``axes[i]``."""
    shape = [x.shape[axis] for axis in axes]
    options = schema.TransposeOptionsT()
    version = 1 if len(axes) <= 4 else 6
    inputs = [x, graph.constant(axes, np.int32)]
    return graph.op("TRANSPOSE", inputs, shape, options=options, version=version)


def pad(graph: GraphBuilder, x: Tensor, pads: Sequence[tuple[int, int]]) -> Tensor:
    """Add PAD with real zeros; a (before, after) pair for every axis."""
    shape = [size + sum(pair) for size, pair in zip(x.shape, pads, strict=True)]
    return graph.op(
        "PAD",
        [x, graph.constant(pads, np.int32)],
        shape,
        x.dtype,
        options=schema.PadOptionsT(),
        version=1 if x.is_float else 2,
        quantization=x.quantization,
    )


def slice_(graph: GraphBuilder, x: Tensor, axis: int, start: int, stop: int) -> Tensor:
    """Add SLICE of floats: ``start <= index < stop`` along one axis."""
    begin, size = [0] * len(x.shape), list(x.shape)
    begin[axis], size[axis] = start, stop - start
    bounds = [graph.constant(numbers, np.int32) for numbers in (begin, size)]
    return graph.op("SLICE", [x, *bounds], size, options=schema.SliceOptionsT())


def concatenate(graph: GraphBuilder, parts: Sequence[Tensor], axis: int) -> Tensor:
    """Add CONCATENATION of floats."""
    options = schema.ConcatenationOptionsT()
    options.axis, options.fusedActivationFunction = axis, _ACTIVATIONS[False]
    shape = list(parts[0].shape)
    shape[axis] = sum(part.shape[axis] for part in parts)
    return graph.op("CONCATENATION", parts, shape, options=options)


def reshape(graph: GraphBuilder, x: Tensor, *shape: int) -> Tensor:
    """Add RESHAPE of floats."""
    options = schema.ReshapeOptionsT()
    options.newShape = np.array(shape, np.int32)
    return graph.op("RESHAPE", [x, graph.constant(shape, np.int32)], shape, options=options)


def matmul(graph: GraphBuilder, a: Tensor, b: Tensor, *, transpose_b: bool = False) -> Tensor:
    """Add BATCH_MATMUL of floats: (..., N, K) and (..., K, M), or (..., M, K) if transposed."""
    options = schema.BatchMatMulOptionsT()
    options.adjX, options.adjY, options.asymmetricQuantizeInputs = False, transpose_b, False
    columns = b.shape[-2] if transpose_b else b.shape[-1]
    return graph.op("BATCH_MATMUL", [a, b], (*a.shape[:-1], columns), options=options)


def linear(graph: GraphBuilder, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Add FULLY_CONNECTED of floats: (N, K) with (M, K) and (M,) gives (N, M)."""
    options = schema.FullyConnectedOptionsT()
    options.fusedActivationFunction = _ACTIVATIONS[False]
    shape = (x.shape[0], weight.shape[0])
    return graph.op("FULLY_CONNECTED", [x, weight, bias], shape, options=options)


def reduce(graph: GraphBuilder, operator: str, x: Tensor, *axes: int) -> Tensor:
    """Add SUM or MEAN along axes, which keep the length 1."""
    options = schema.ReducerOptionsT()
    options.keepDims = True
    shape = [1 if axis in axes else size for axis, size in enumerate(x.shape)]
    return graph.op(operator, [x, graph.constant(axes, np.int32)], shape, x.dtype, options=options)
