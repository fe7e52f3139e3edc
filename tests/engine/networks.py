"""Tiny random networks that together hold everything a packed model can say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.packed import CODES, NONE, PICTURE, STREAM, Layer, Network, Value

BIT_WIDTHS = (4, 5, 6, 8)
STREAM_STEP = 1 / 64
"""Streams of these networks stay below 512 in magnitude: nothing of them is saturated."""


def in_sixteen_bits(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """A head's weights, (places, out, 3, k, k), such that an integer head rounds none of them."""
    steps = np.abs(weights).max(axis=(2, 3, 4), keepdims=True) / np.float64(127 * 256 + 127)
    rounded: NDArray[np.float32] = (np.rint(weights / steps) * steps).astype(np.float32)
    return rounded


class Builder:
    """Adds layers to a network; draws their weights."""

    def __init__(
        self, seed: int, scale: int, channels: int = 16, bit_widths: tuple[int, ...] = BIT_WIDTHS
    ) -> None:
        self.random = np.random.default_rng(seed)
        self.network = Network(scale, bit_widths, [Value(PICTURE, 3)])
        self.channels = channels

    def floats(self, *shape: int, scale: float = 1.0) -> NDArray[np.float32]:
        return (self.random.normal(size=shape) * scale).astype(np.float32)

    def stream(self, channels: int | None = None, scale: int = 1) -> int:
        value = Value(STREAM, channels or self.channels, scale, steps=(STREAM_STEP,))
        return self._value(value)

    def codes(self, *, signed: bool = True, reach: float = 100.0, scale: int = 1) -> int:
        """Codes whose range is about ``reach`` at each width."""
        bits = self.network.bit_widths
        steps = tuple(reach / (1 << (b - 1)) for b in bits)
        return self._value(Value(CODES, self.channels, scale, signed, steps, bits))

    def picture(self) -> int:
        return self._value(Value(PICTURE, 3, self.network.scale))

    def real(
        self, source: int, kernel: int, *, places: int = 1, block: int = 1, **rest: Any
    ) -> None:
        """A convolution of a picture or a stream that keeps the magnitude of what it reads."""
        inputs, out = self._channels(source, block, rest)
        size = 1 / (kernel * np.sqrt(inputs))
        weights = self.floats(places, out, inputs, kernel, kernel, scale=size)
        if self.network.values[source].kind == PICTURE:
            weights = in_sixteen_bits(weights)
        layer = Layer(
            source,
            weights,
            self.floats(places, out, scale=10),
            block=block,
        )
        self._add(layer, rest)

    def integer(self, source: int, *, block: int = 1, **rest: Any) -> None:
        inputs, out = self._channels(source, block, rest)
        steps = self.random.uniform(0.5, 1.5, out).astype(np.float32)
        layer = Layer(
            source,
            self.random.integers(-128, 128, (out, inputs, 3, 3)).astype(np.int8),
            self.floats(len(self.network.bit_widths), out, scale=10),
            block=block,
            weight_steps=steps / np.float32(220 * np.sqrt(inputs)),
        )
        self._add(layer, rest)

    def _add(self, layer: Layer, rest: dict[str, Any]) -> None:
        for name, value in rest.items():
            setattr(layer, name, value)
        self.network.layers.append(layer)

    def _value(self, value: Value) -> int:
        self.network.values.append(value)
        return len(self.network.values) - 1

    def _channels(self, source: int, block: int, rest: dict[str, Any]) -> tuple[int, int]:
        written = rest.get("stream", rest.get("codes", NONE))
        assert isinstance(written, int)
        values = self.network.values
        return values[source].channels, values[written].channels * block**2


def residual_blocks(seed: int, scale: int, **sizes: Any) -> Network:
    """EDSR's form: head 3x3, blocks with ReLU and a scaled residual in place, merged tail."""
    b = Builder(seed, scale, **sizes)
    stream, codes = b.stream(), b.codes()
    b.real(0, 3, stream=stream, codes=codes)
    head = stream
    for _ in range(2):
        rectified = b.codes(signed=False)
        zeros = np.zeros(b.channels, np.float32)
        b.integer(codes, codes=rectified, slopes=zeros)
        last, codes, stream = stream, b.codes(), b.stream()
        b.integer(rectified, residual=last, factor=0.25, stream=stream, codes=codes)
    end = b.stream()
    b.integer(codes, residual=head, stream=end)
    b.real(end, 5, places=9, block=scale, stream=b.picture())
    return b.network


def parametric_blocks(seed: int, scale: int, **sizes: Any) -> Network:
    """SRResNet's form: head 9x9, slopes, gains, shifts, depth-to-space on streams, narrow tail."""
    b = Builder(seed, scale, **sizes)
    stream, codes = b.stream(), b.codes()
    slopes = b.floats(b.channels, scale=0.3)
    b.real(0, 9, stream=stream, codes=codes, slopes=slopes)
    inner = b.codes()
    b.integer(
        codes, codes=inner, slopes=b.floats(b.channels, scale=0.3),
        gains=b.floats(b.channels), shifts=b.floats(b.channels, scale=5),
    )  # fmt: skip
    end = b.stream()
    b.integer(
        inner, residual=stream, stream=end,
        gains=b.floats(b.channels), shifts=b.floats(b.channels, scale=5),
    )  # fmt: skip
    size = 1
    for block in {2: (2,), 3: (3,), 4: (2, 2)}[scale]:
        size *= block
        larger = b.stream(scale=size)
        b.real(end, 3, block=block, stream=larger, slopes=b.floats(b.channels * block**2))
        end = larger
    b.real(end, 9, stream=b.picture())
    return b.network


def every_kernel_side(seed: int, scale: int, **sizes: Any) -> Network:
    """Real convolutions of all sides, codes made by a real layer, an upscaling integer layer."""
    b = Builder(seed, scale, **sizes)
    stream = b.stream()
    b.real(0, 1, stream=stream)
    for kernel in (1, 3, 5, 7, 9):
        last, stream = stream, b.stream()
        b.real(last, kernel, stream=stream, residual=last, factor=-0.5)
    codes = b.codes()
    b.real(stream, 3, codes=codes, slopes=np.zeros(b.channels, np.float32))
    larger = b.stream(scale=scale)
    b.integer(codes, block=scale, stream=larger)
    other, unread = b.stream(scale=scale), b.codes(scale=scale)
    b.real(larger, 7, stream=other, codes=unread, residual=larger)
    end = b.stream(scale=scale)
    b.real(other, 5, places=9, stream=end, residual=larger)
    b.real(end, 3, stream=b.picture())
    return b.network


def only_pictures(seed: int, scale: int, *, kernel: int = 3, **sizes: Any) -> Network:
    """One convolution from tile to upscaled tile, of any side."""
    b = Builder(seed, scale, **sizes)
    b.real(0, kernel, block=scale, stream=b.picture())
    return b.network


NETWORKS: dict[str, Callable[..., Network]] = {
    "residual_blocks": residual_blocks,
    "parametric_blocks": parametric_blocks,
    "every_kernel_side": every_kernel_side,
    "only_pictures": only_pictures,
}
