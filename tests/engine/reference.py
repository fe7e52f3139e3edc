"""The packed model (``runtime/gdq_engine/FORMAT.md``) read and executed, plainly and exactly.

Written from the format's description alone, shares no code with exporter or engine, and is what
both are compared with. ``read`` takes the bytes apart and refuses what the format does not allow;
``run`` upscales one tile: in double precision between what the format rounds (codes, the int16 of
streams, pixels), so that integer layers are exact. Seconds a tile.

    model = read(Path("bundle/engine/model.gdq").read_bytes())
    picture = run(model, bit_width=4, tile=tile)

``execute`` also returns every value in between, and can leave the rounding of streams out: what is
left is the network as torch computes it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

PICTURE, STREAM, CODES = range(3)
NONE = -1


@dataclass(frozen=True)
class Value:
    """A row of the file's second table."""

    kind: int
    channels: int
    scale: int
    signed: bool
    steps: tuple[float, ...]
    """Four, as in the file."""
    bits: tuple[int, ...]
    """Four, as in the file."""


@dataclass(frozen=True, eq=False)
class Layer:
    """A row of the file's third table, with its tensors in shape; -1 for values that are none."""

    source: int
    residual: int
    stream: int
    codes: int
    kernel: int
    block: int
    inputs: int
    outputs: int
    factor: float
    places: int
    weights: NDArray[Any]
    weight_steps: NDArray[np.float32] | None
    bias: NDArray[np.float32]
    slopes: NDArray[np.float32] | None
    gains: NDArray[np.float32] | None
    shifts: NDArray[np.float32] | None


@dataclass(frozen=True, eq=False)
class Model:
    """A file, read."""

    scale: int
    bit_widths: tuple[int, ...]
    values: list[Value]
    layers: list[Layer]


def read(content: bytes) -> Model:
    """Takes a file apart.

    Raises:
        ValueError: it is none of this format.
    """
    magic, version, scale, widths, values, layers, tensors, size, *bit_widths, predictor = _unpack(
        "<8s6IQ4IQ", content, 0
    )
    _demand(magic == b"GDQMODEL" and version == 1, "header")
    _demand(predictor % 8 == 0 and predictor <= len(content), "place of the predictor")
    _demand(size == len(content), "size")
    _demand(2 <= scale <= 4 and 1 <= widths <= 4 and not any(bit_widths[widths:]), "header")
    at_layers = 64 + 48 * values
    at_tensors = at_layers + 64 * layers
    arrays = [_tensor(content, at_tensors + 24 * number) for number in range(tensors)]
    all_values = [_value(content, 64 + 48 * number) for number in range(values)]
    model = Model(
        scale,
        tuple(bit_widths[:widths]),
        all_values,
        [
            _layer(content, at_layers + 64 * number, arrays, all_values, widths)
            for number in range(layers)
        ],
    )
    _check(model)
    return model


def run(model: Model, bit_width: int, tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Upscales a (height, width, 3) tile."""
    return as_picture(model, execute(model, bit_width, tile))


def as_picture(model: Model, made: dict[int, torch.Tensor]) -> NDArray[np.uint8]:
    """The last of the values that ``execute`` made, (height * scale, width * scale, 3)."""
    return made[len(model.values) - 1][0].permute(1, 2, 0).to(torch.uint8).numpy()


def execute(
    model: Model, bit_width: int, tile: NDArray[np.uint8], *, round_streams: bool = True
) -> dict[int, torch.Tensor]:
    """All values by number, (1, channels, height, width) float64, in integers as they are stored.

    Pixels 0..255, the int16 of streams (without ``round_streams`` not rounded and not saturated),
    codes.
    """
    width = model.bit_widths.index(bit_width)
    made = {0: torch.from_numpy(tile.astype(np.float64)).permute(2, 0, 1)[None]}
    for layer in model.layers:
        y = _convolve(layer, made[layer.source] * _step(model.values[layer.source], width), width)
        if layer.slopes is not None:
            y = torch.where(y < 0, y * _per_channel(layer.slopes), y)
        if layer.gains is not None and layer.shifts is not None:
            y = y * _per_channel(layer.gains) + _per_channel(layer.shifts)
        y = _depth_to_space(y, layer.block)
        if layer.residual != NONE:
            step = _step(model.values[layer.residual], width)
            y = y + layer.factor * made[layer.residual] * step
        for number in (layer.stream, layer.codes):
            if number != NONE:
                value = model.values[number]
                exact = value.kind == STREAM and not round_streams
                made[number] = y / _step(value, width) if exact else _stored(y, value, width)
    return made


def _step(value: Value, width: int) -> float:
    return (1.0, value.steps[0], value.steps[width])[value.kind]


def _stored(y: torch.Tensor, value: Value, width: int) -> torch.Tensor:
    """Real values as the integers that are kept of them, ties to even."""
    low, high = 0, 255
    if value.kind == STREAM:
        low, high = -(1 << 15), (1 << 15) - 1
    elif value.kind == CODES:
        bits = value.bits[width]
        low, high = (
            (-(1 << bits - 1), (1 << bits - 1) - 1) if value.signed else (0, (1 << bits) - 1)
        )
    return torch.round(torch.clamp(y / _step(value, width), low, high))


def _convolve(layer: Layer, x: torch.Tensor, width: int) -> torch.Tensor:
    weights = torch.from_numpy(layer.weights).double()
    bias = torch.from_numpy(layer.bias).double()
    if layer.weight_steps is not None:
        steps = torch.from_numpy(layer.weight_steps).double()
        return F.conv2d(x, weights * steps[:, None, None, None], bias[width], padding="same")
    planes = [F.conv2d(x, w, b, padding="same") for w, b in zip(weights, bias, strict=True)]
    if layer.places == 1:
        return planes[0]
    ends = (slice(0, 1), slice(1, -1), slice(-1, None))
    y = torch.empty_like(planes[0])
    for place, (rows, columns) in enumerate(product(ends, repeat=2)):
        y[:, :, rows, columns] = planes[place][:, :, rows, columns]
    return y


def _depth_to_space(y: torch.Tensor, block: int) -> torch.Tensor:
    """Order DCR: channel ``(row * block + column) * outputs + output``."""
    n, channels, height, width = y.shape
    outputs = channels // block**2
    y = y.reshape(n, block, block, outputs, height, width).permute(0, 3, 4, 1, 5, 2)
    return y.reshape(n, outputs, height * block, width * block)


def _per_channel(numbers: NDArray[np.float32]) -> torch.Tensor:
    return torch.from_numpy(numbers).double()[:, None, None]


def _value(content: bytes, offset: int) -> Value:
    kind, channels, scale, signed, *rest = _unpack("<4I4f4I", content, offset)
    _demand(kind in (PICTURE, STREAM, CODES) and signed in (0, 1), "value")
    return Value(kind, channels, scale, bool(signed), tuple(rest[:4]), tuple(rest[4:]))


def _tensor(content: bytes, offset: int) -> NDArray[Any]:
    kind, zero, elements, start = _unpack("<2I2Q", content, offset)
    _demand(kind in (0, 1) and zero == 0 and start % 64 == 0, "tensor")
    dtype = np.dtype("<f4" if kind == 0 else "i1")
    _demand(start + elements * dtype.itemsize <= len(content), "tensor beyond the file")
    return np.frombuffer(content, dtype, elements, start).copy()


def _layer(
    content: bytes, offset: int, arrays: list[NDArray[Any]], values: list[Value], widths: int
) -> Layer:
    source, residual, stream, codes, kernel, block, inputs, outputs, factor, *tensors, places = (
        _unpack("<4i4If6iI", content, offset)
    )
    _demand(0 <= source < len(values) and places in (1, 9) and block >= 1, "layer")
    is_integer = values[source].kind == CODES
    rows = widths if is_integer else places
    shape = (outputs, inputs, kernel, kernel)
    weights, weight_steps, bias, slopes, gains, shifts = (
        None if number == NONE else arrays[number] for number in tensors
    )
    _demand(weights is not None and bias is not None, "layer without weights or bias")
    _demand(is_integer == (weight_steps is not None), "weight steps")
    _demand((gains is None) == (shifts is None), "gains and shifts")
    assert weights is not None
    assert bias is not None
    _demand(weights.dtype == (np.int8 if is_integer else np.float32), "type of weights")
    _demand(weight_steps is None or weight_steps.size in (1, outputs), "weight steps")
    return Layer(
        source, residual, stream, codes, kernel, block, inputs, outputs, factor, places,
        weights.reshape(shape if is_integer else (places, *shape)),
        weight_steps,
        bias.reshape(rows, outputs),
        *(None if array is None else array.reshape(outputs) for array in (slopes, gains, shifts)),
    )  # fmt: skip


def _check(model: Model) -> None:
    """What the tables demand of each other."""
    first, last = model.values[0], model.values[-1]
    _demand(first.kind == last.kind == PICTURE, "pictures")
    _demand((first.scale, last.scale) == (1, model.scale), "scale of the pictures")
    for value in model.values:
        multiple = value.channels == 3 if value.kind == PICTURE else value.channels % 16 == 0
        _demand(multiple, "channels")
        used = {PICTURE: 0, STREAM: 1, CODES: len(model.bit_widths)}[value.kind]
        _demand(all(step > 0 for step in value.steps[:used]), "steps")
        _demand(not any(value.steps[used:]), "unused steps")
        used = len(model.bit_widths) if value.kind == CODES else 0
        _demand(all(2 <= bits <= 8 for bits in value.bits[:used]), "bits")
        _demand(not any(value.bits[used:]), "unused bits")
    made = {0}
    for layer in model.layers:
        _check_layer(model, layer, made)
    _demand(made == set(range(len(model.values))), "values that nobody makes")


def _check_layer(model: Model, layer: Layer, made: set[int]) -> None:
    source = model.values[layer.source]
    _demand(layer.source in made, "order")
    _demand(layer.kernel % 2 == 1 and layer.kernel <= 9, "kernel")
    _demand(source.channels == layer.inputs, "input channels")
    end = (layer.outputs // layer.block**2, source.scale * layer.block)
    _demand(end[0] * layer.block**2 == layer.outputs, "block")
    if source.kind == CODES:
        _demand((layer.kernel, layer.places) == (3, 1), "integer layer")
    if layer.residual != NONE:
        residual = model.values[layer.residual]
        _demand(layer.residual in made and residual.kind == STREAM, "residual")
        _demand((residual.channels, residual.scale) == end, "size of the residual")
    _demand(layer.stream != NONE or layer.codes != NONE, "layer that writes nothing")
    for number, kinds in ((layer.stream, (PICTURE, STREAM)), (layer.codes, (CODES,))):
        if number == NONE:
            continue
        value = model.values[number]
        _demand(value.kind in kinds and (value.channels, value.scale) == end, "what is written")
        _demand(number not in made, "value that is made twice")
        made.add(number)


def _unpack(layout: str, content: bytes, offset: int) -> tuple[Any, ...]:
    _demand(offset + struct.calcsize(layout) <= len(content), "end of the file")
    return struct.unpack_from(layout, content, offset)


def _demand(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(f"not a packed model: {what}")
