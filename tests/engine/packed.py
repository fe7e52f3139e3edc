"""Packed models written and run by the tests (``runtime/gdq_engine/FORMAT.md``).

``Network.to_bytes`` writes the file and judges nothing, so that files that are wrong can be written
too; ``run`` is the format's meaning in float64.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

PICTURE, STREAM, CODES = range(3)
NONE = -1
HEADER, VALUE, LAYER, TENSOR = "<8s6IQ4IQ", "<4I4f4I", "<4i4If6iI", "<2I2Q"

Reals = NDArray[np.float64]


@dataclass
class Value:
    kind: int
    channels: int
    scale: int = 1
    signed: bool = False
    steps: tuple[float, ...] = ()
    bits: tuple[int, ...] = ()


@dataclass
class Layer:
    """Weights int8 (out, in, 3, 3), or float32 (places, out, in, k, k)."""

    source: int
    weights: NDArray[Any]
    bias: NDArray[np.float32]
    stream: int = NONE
    codes: int = NONE
    residual: int = NONE
    factor: float = 1.0
    block: int = 1
    weight_steps: NDArray[np.float32] | None = None
    slopes: NDArray[np.float32] | None = None
    gains: NDArray[np.float32] | None = None
    shifts: NDArray[np.float32] | None = None

    @property
    def places(self) -> int:
        return self.weights.shape[0] if self.weights.ndim == 5 else 1

    @property
    def tensors(self) -> tuple[NDArray[Any] | None, ...]:
        return (self.weights, self.weight_steps, self.bias, self.slopes, self.gains, self.shifts)


@dataclass
class Network:
    scale: int
    bit_widths: tuple[int, ...]
    values: list[Value] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)

    def to_bytes(self) -> bytes:
        # Arrays that layers share are there once.
        tensors = {id(t): t for layer in self.layers for t in layer.tensors if t is not None}
        numbers = {identity: number for number, identity in enumerate(tensors)}
        at_data = 64 + 48 * len(self.values) + 64 * len(self.layers) + 24 * len(tensors)
        data, described = bytearray(), bytearray()
        for tensor in tensors.values():
            data += bytes(-(at_data + len(data)) % 64)
            is_integer = tensor.dtype == np.int8
            described += struct.pack(TENSOR, is_integer, 0, tensor.size, at_data + len(data))
            data += np.ascontiguousarray(tensor, "<i1" if is_integer else "<f4").tobytes()
        header = struct.pack(
            HEADER, b"GDQMODEL", 1, self.scale, len(self.bit_widths), len(self.values),
            len(self.layers), len(tensors), at_data + len(data), *_padded(self.bit_widths), 0,
        )  # fmt: skip
        values = b"".join(
            struct.pack(
                VALUE, v.kind, v.channels, v.scale, v.signed, *_padded(v.steps), *_padded(v.bits)
            )
            for v in self.values
        )
        layers = b"".join(
            struct.pack(
                LAYER, layer.source, layer.residual, layer.stream, layer.codes,
                layer.weights.shape[-1], layer.block, *layer.weights.shape[-3:-5:-1],
                layer.factor, *(numbers.get(id(tensor), NONE) for tensor in layer.tensors),
                layer.places,
            )
            for layer in self.layers
        )  # fmt: skip
        return header + values + layers + bytes(described + data)

    def run(self, bit_width: int, tile: NDArray[np.uint8]) -> list[Reals]:
        """All values before their last rounding and clipping, (height, width, channels).

        In units of what is stored: pixels, steps.
        """
        width = self.bit_widths.index(bit_width)
        exact: list[Reals] = [np.zeros(0)] * len(self.values)
        exact[0] = tile.astype(np.float64)
        for layer in self.layers:
            y = self._layer(layer, exact, width)
            for written in (layer.stream, layer.codes):
                if written != NONE:
                    exact[written] = y / step(self.values[written], width)
        return exact

    def _layer(self, layer: Layer, exact: list[Reals], width: int) -> Reals:
        source = self.values[layer.source]
        x = stored(source, width, exact[layer.source]) * step(source, width)
        if source.kind == CODES:
            assert layer.weight_steps is not None
            steps = np.broadcast_to(layer.weight_steps, layer.weights.shape[0]).astype(np.float64)
            weights = layer.weights * steps[:, None, None, None]
            y = convolve(x, weights) + layer.bias.reshape(-1, weights.shape[0])[width]
        else:
            y = _by_place(
                [convolve(x, w) + b for w, b in zip(layer.weights, layer.bias, strict=True)]
            )
        if layer.slopes is not None:
            y = np.where(y < 0, y * layer.slopes, y)
        if layer.gains is not None:
            assert layer.shifts is not None
            y = y * layer.gains + layer.shifts
        y = depth_to_space(y, layer.block)
        if layer.residual != NONE:
            residual = self.values[layer.residual]
            kept = stored(residual, width, exact[layer.residual])
            y = y + layer.factor * step(residual, width) * kept
        return y


def step(value: Value, width: int) -> float:
    """As the file holds it: a float32."""
    steps = {PICTURE: (1.0,), STREAM: value.steps[:1], CODES: value.steps[width:]}[value.kind]
    return float(np.float32(steps[0]))


def stored(value: Value, width: int, exact: Reals) -> Reals:
    """The integers that are kept: pixels, 16 bits of a stream, codes."""
    low, high = 0, 255
    if value.kind == STREAM:
        low, high = -(1 << 15), (1 << 15) - 1
    elif value.kind == CODES:
        bits = value.bits[width]
        low, high = (
            (-(1 << bits - 1), (1 << bits - 1) - 1) if value.signed else (0, (1 << bits) - 1)
        )
    return np.rint(np.clip(exact, low, high))


def convolve(x: Reals, weights: NDArray[Any]) -> Reals:
    """Padded with zeros by half of the kernel."""
    kernel = weights.shape[-1]
    height, width, _ = x.shape
    padded = np.pad(x, ((kernel // 2,) * 2, (kernel // 2,) * 2, (0, 0)))
    y = np.zeros((height, width, weights.shape[0]))
    for row in range(kernel):
        for column in range(kernel):
            tap = weights[:, :, row, column].T.astype(np.float64)
            y += padded[row : row + height, column : column + width] @ tap
    return y


def depth_to_space(y: Reals, block: int) -> Reals:
    height, width, channels = y.shape
    out = channels // block**2
    tiles = y.reshape(height, width, block, block, out).transpose(0, 2, 1, 3, 4)
    return tiles.reshape(height * block, width * block, out)


def _by_place(planes: list[Reals]) -> Reals:
    if len(planes) == 1:
        return planes[0]
    ends = (slice(0, 1), slice(1, -1), slice(-1, None))
    y = planes[0].copy()
    for place, plane in enumerate(planes):
        at = (ends[place // 3], ends[place % 3])
        y[at] = plane[at]
    return y


def _padded(numbers: tuple[Any, ...]) -> tuple[Any, ...]:
    return numbers + (0,) * (4 - len(numbers))
