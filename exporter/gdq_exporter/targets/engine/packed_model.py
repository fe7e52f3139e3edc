"""The packed model: what our own engine reads, and its bytes (``runtime/gdq_engine/FORMAT.md``)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from gdq_core.sensitivity.rule import SensitivityRule
from gdq_models.predictor.parameters import PredictorParameters

_MAGIC, _VERSION = b"GDQMODEL", 1
_HEADER, _VALUE, _LAYER, _TENSOR = "<8s6IQ4IQ", "<4I4f4I", "<4i4If6iI", "<2I2Q"
_PREDICTOR, _SENSITIVITY = "<4I3I3I2dd3f6i", "<2I3iii3i27i"
_STATISTICS = 2
"""Kind of a predictor: sensitivity heads; the others are gates."""
_WIDTHS = 4
"""Places for bit-widths in the file."""
_NONE = -1
_ALIGNMENT = 64
_DTYPES = {np.dtype(np.float32): 0, np.dtype(np.int8): 1}


class Kind(IntEnum):
    """What a value is."""

    PICTURE = 0
    STREAM = 1
    CODES = 2


@dataclass(frozen=True)
class Value:
    """What lies between layers."""

    kind: Kind
    channels: int
    scale: int
    """Upscaling factor so far: pixels per low-resolution pixel in each direction."""
    signed: bool = False
    """Codes only."""
    steps: tuple[float, ...] = ()
    """Codes: at each bit-width; stream: one."""
    bits: tuple[int, ...] = ()
    """Codes only, at each bit-width."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One convolution with all that follows it; values are given by their index in the list."""

    source: int
    residual: int | None
    stream: int | None
    """The stream that is written, or the final picture."""
    codes: int | None
    block: int
    """Of the depth-to-space, 1 if there is none."""
    factor: float
    """Of the residual."""
    weights: NDArray[np.int8] | NDArray[np.float32]
    """Integer layer: int8 (out, in, 3, 3); real layer: float32 (places, out, in, k, k)."""
    weight_steps: NDArray[np.float32] | None
    """Integer layer: (1,) or (out,)."""
    bias: NDArray[np.float32]
    """Integer layer: (bit-widths, out); real layer: (places, out)."""
    slopes: NDArray[np.float32] | None
    gains: NDArray[np.float32] | None
    shifts: NDArray[np.float32] | None

    @property
    def places(self) -> int:
        """1, or 9 if the outermost ring of pixels has kernels of its own."""
        return self.weights.shape[0] if self.weights.ndim == 5 else 1

    def tensors(self) -> list[NDArray[np.int8] | NDArray[np.float32] | None]:
        """Return its tensors in the order of the file."""
        return [
            self.weights, self.weight_steps, self.bias, self.slopes, self.gains, self.shifts
        ]  # fmt: skip


@dataclass(frozen=True, eq=False)
class PackedModel:
    """A network at all its bit-widths."""

    scale: int
    bit_widths: tuple[int, ...]
    values: tuple[Value, ...]
    layers: tuple[Layer, ...]
    predictor: PredictorParameters | SensitivityRule | None = None

    def to_bytes(self) -> bytes:
        """Return the file."""
        store = _TensorStore()
        layers = b"".join(_pack_layer(layer, store) for layer in self.layers)
        values = b"".join(_pack_value(value) for value in self.values)
        predictor = _pack_decision(self.predictor, store)
        start = struct.calcsize(_HEADER) + len(values) + len(layers)
        end = start + store.count * struct.calcsize(_TENSOR)
        tensors, data = store.to_bytes(end + len(predictor))
        header = struct.pack(
            _HEADER,
            _MAGIC,
            _VERSION,
            self.scale,
            len(self.bit_widths),
            len(self.values),
            len(self.layers),
            store.count,
            end + len(predictor) + len(data),
            *_padded(self.bit_widths),
            end if predictor else 0,
        )
        return header + values + layers + tensors + predictor + data


class _TensorStore:
    """Tensors of one file, identical ones once."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, bytes], int] = {}

    @property
    def count(self) -> int:
        return len(self._numbers)

    def number(self, tensor: NDArray[np.int8] | NDArray[np.float32] | None) -> int:
        if tensor is None:
            return _NONE
        little = tensor.astype(tensor.dtype.newbyteorder("<"), copy=False)
        key = (_DTYPES[tensor.dtype], little.tobytes())
        return self._numbers.setdefault(key, len(self._numbers))

    def to_bytes(self, first: int) -> tuple[bytes, bytes]:
        """Return the descriptions and the data; the data begins at ``first`` in the file."""
        descriptions, data = bytearray(), bytearray()
        for dtype, raw in self._numbers:
            data += b"\0" * (-(first + len(data)) % _ALIGNMENT)
            elements = len(raw) // (1 if dtype else 4)
            descriptions += struct.pack(_TENSOR, dtype, 0, elements, first + len(data))
            data += raw
        return bytes(descriptions), bytes(data)


def _pack_value(value: Value) -> bytes:
    head = (value.kind, value.channels, value.scale, value.signed)
    return struct.pack(_VALUE, *head, *_padded(value.steps), *_padded(value.bits))


def _pack_layer(layer: Layer, store: _TensorStore) -> bytes:
    outputs, inputs, kernel = layer.weights.shape[-4:-1]
    values = (layer.source, layer.residual, layer.stream, layer.codes)
    return struct.pack(
        _LAYER,
        *(_NONE if number is None else number for number in values),
        kernel,
        layer.block,
        inputs,
        outputs,
        layer.factor,
        *(store.number(tensor) for tensor in layer.tensors()),
        layer.places,
    )


def _pack_decision(
    predictor: PredictorParameters | SensitivityRule | None, store: _TensorStore
) -> bytes:
    if predictor is None:
        return b""
    if isinstance(predictor, SensitivityRule):
        return _pack_sensitivity(predictor)
    return _pack_predictor(predictor, store)


def _pack_sensitivity(rule: SensitivityRule) -> bytes:
    return struct.pack(
        _SENSITIVITY,
        _STATISTICS,
        rule.heads.side,
        *rule.steps.above,
        rule.price,
        rule.flat,
        *rule.heads.biases.tolist(),
        *rule.heads.weights.ravel().tolist(),
    )


def _pack_predictor(parameters: PredictorParameters, store: _TensorStore) -> bytes:
    tensors = (
        parameters.head_weight, parameters.head_bias, parameters.gate_weight,
        parameters.gate_bias, parameters.norm_weight, parameters.norm_bias,
    )  # fmt: skip
    return struct.pack(
        _PREDICTOR,
        parameters.gate == "group_norm",
        parameters.head_weight.shape[-1],
        parameters.head_weight.shape[0],
        parameters.groups or 0,
        *parameters.gate_bit_widths,
        *parameters.e2b_bit_widths,
        *parameters.e2b_thresholds,
        parameters.norm_epsilon,
        *parameters.mean,
        *(store.number(None if one is None else one.astype(np.float32)) for one in tensors),
    )


def _padded(numbers: tuple[float, ...]) -> tuple[float, ...]:
    return numbers + (0,) * (_WIDTHS - len(numbers))
