"""One network at several bit-widths as one packed model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gdq_exporter.targets.engine.packed_model import Kind, Layer, PackedModel, Value
from gdq_exporter.targets.engine.refusal import refusal


def join_widths(models: Sequence[PackedModel]) -> PackedModel:
    """Join models of one bit-width each, ascending, into one model.

    Raises:
        ExportError: they differ in more than steps and bits of codes, and biases of integer layers.
    """
    first = models[0]
    counts = {(one.scale, len(one.values), len(one.layers)) for one in models}
    if len(counts) > 1:
        raise refusal("its bit-widths have different layers")
    return PackedModel(
        first.scale,
        tuple(width for one in models for width in one.bit_widths),
        tuple(
            _join_values(at_widths)
            for at_widths in zip(*(one.values for one in models), strict=True)
        ),
        tuple(
            _join_layers(at_widths)
            for at_widths in zip(*(one.layers for one in models), strict=True)
        ),
    )


def _join_values(values: Sequence[Value]) -> Value:
    first = values[0]
    if len({replace(value, steps=(), bits=()) for value in values}) > 1:
        raise refusal("its bit-widths have different activations")
    if first.kind is not Kind.CODES:
        return first
    return replace(
        first,
        steps=tuple(step for value in values for step in value.steps),
        bits=tuple(bits for value in values for bits in value.bits),
    )


def _join_layers(layers: Sequence[Layer]) -> Layer:
    first = layers[0]
    is_integer = first.weight_steps is not None
    for other in layers[1:]:
        if not _is_same(first, other if not is_integer else replace(other, bias=first.bias)):
            raise refusal("its bit-widths have different weights")
    if not is_integer:
        return first
    return replace(first, bias=np.concatenate([layer.bias for layer in layers]))


def _is_same(one: Layer, other: Layer) -> bool:
    return all(_is_equal(getattr(one, name), getattr(other, name)) for name in vars(one))


def _is_equal(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    return type(one) is type(other) and bool(one == other)
