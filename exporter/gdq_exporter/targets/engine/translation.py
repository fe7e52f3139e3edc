"""A lowered network at one bit-width as layers: each convolution gathers what follows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from gdq_exporter.ir import editing, quantization
from gdq_exporter.ir.quantization import QuantizationPoint
from gdq_exporter.lowering import LoweredNetwork
from gdq_exporter.targets.engine.convolution import (
    Convolution,
    is_convolution,
    read_convolution,
)
from gdq_exporter.targets.engine.packed_model import Kind, Layer, PackedModel, Value
from gdq_exporter.targets.engine.refusal import refusal
from gdq_exporter.targets.engine.requantization import drop_requantizations

_PICTURE_CHANNELS = 3
_CHANNEL_MULTIPLE = 16
_SCALES = range(2, 5)


@dataclass(frozen=True, eq=False)
class Translated:
    """A network at one bit-width."""

    model: PackedModel
    """Its streams have no steps yet."""
    streams: dict[int, str]
    """Number of a stream -> name of its value in the lowered network."""


def translate(network: LoweredNetwork) -> Translated:
    """Find the layers; the lowered network is not changed.

    Raises:
        ExportError: the packed model cannot express it.
    """
    model = network.compact.clone()
    drop_requantizations(model)
    translation = _Translation(model)
    for node in model.graph:
        translation.add(node)
    return translation.finish(network.bit_width)


@dataclass(eq=False)
class _Draft:
    """A layer that may still grow."""

    source: int
    convolution: Convolution
    scale: int
    """Of the source."""
    block: int = 1
    slopes: NDArray[np.float32] | None = None
    gains: NDArray[np.float32] | None = None
    shifts: NDArray[np.float32] | None = None
    residual: int | None = None
    factor: float = 0.0

    @property
    def channels(self) -> int:
        """Of what it has made so far."""
        return self.convolution.outputs // self.block**2

    def bend(self, slopes: NDArray[np.float32]) -> None:
        """Append a (leaky, parametric) ReLU: (channels,) slopes below zero."""
        if self.slopes is not None or self.gains is not None:
            raise refusal("a ReLU follows a ReLU or a factor")
        self.slopes = self._before_shuffle(slopes)

    def scale_by(self, gains: NDArray[np.float32]) -> None:
        """Append a factor per channel."""
        gains = self._before_shuffle(gains)
        self.gains = gains if self.gains is None else self.gains * gains
        self.shifts = np.zeros_like(gains) if self.shifts is None else self.shifts * gains

    def shift_by(self, shifts: NDArray[np.float32]) -> None:
        """Append an offset per channel."""
        shifts = self._before_shuffle(shifts)
        self.gains = np.ones_like(shifts) if self.gains is None else self.gains
        self.shifts = shifts if self.shifts is None else self.shifts + shifts

    def shuffle(self, block: int) -> None:
        """Append a depth-to-space."""
        if self.block != 1:
            raise refusal("two pixel shuffles follow one convolution")
        if self.convolution.outputs % block**2:
            raise refusal(f"{self.convolution.outputs} channels cannot be shuffled by {block}")
        self.block = block

    def _before_shuffle(self, constants: NDArray[np.float32]) -> NDArray[np.float32]:
        """Repeat constants per channel so that they apply before a depth-to-space (order DCR)."""
        return np.tile(constants, self.block**2)


@dataclass(eq=False)
class _Translation:
    """What each value of the lowered network has become."""

    model: ir.Model
    values: list[Value] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)
    streams: dict[int, str] = field(default_factory=dict)
    _numbers: dict[ir.Value, int] = field(default_factory=dict)
    """Of values that are written."""
    _drafts: dict[ir.Value, _Draft] = field(default_factory=dict)
    """By their ends."""
    _factors: dict[ir.Value, tuple[ir.Value, float]] = field(default_factory=dict)
    """Streams times a number, for the addition that reads them."""
    _offsets: dict[ir.Value, NDArray[np.float32]] = field(default_factory=dict)
    """(channels,): the tile plus a constant, for the convolution that reads it."""

    def __post_init__(self) -> None:
        tile = self.model.graph.inputs[0]
        self._numbers[tile] = self._new(Value(Kind.PICTURE, _PICTURE_CHANNELS, 1))

    def finish(self, bit_width: int) -> Translated:
        """Return everything that was added."""
        picture = self.values[-1]
        if picture.kind is not Kind.PICTURE or picture.scale not in _SCALES:
            raise refusal("no convolution makes a picture that is 2 to 4 times as large")
        model = PackedModel(picture.scale, (bit_width,), tuple(self.values), tuple(self.layers))
        return Translated(model, self.streams)

    def add(self, node: ir.Node) -> None:
        """Take in one node; quantizers are read where their layer ends."""
        if is_convolution(node):
            self._begin(node)
        elif node.op_type not in _PART_OF_QUANTIZATION or _is_float_clip(node):
            extend = _OPERATORS.get(node.op_type)
            if extend is None:
                raise refusal(f"it uses {node.op_type}")
            extend(self, node)

    def _begin(self, node: ir.Node) -> None:
        value = editing.input_of(node, 0)
        offset, value = self._offsets.get(value), self._unshifted(value)
        number = self._numbers.get(value)
        if number is None:
            raise refusal("a convolution reads what no convolution made")
        convolution = read_convolution(node, offset)
        source = self.values[number]
        if convolution.is_integer != (source.kind is Kind.CODES):
            raise refusal("an operator in float reads quantized activations")
        self._go_on(node.outputs[0], _Draft(number, convolution, source.scale))

    def _unshifted(self, value: ir.Value) -> ir.Value:
        if value not in self._offsets:
            return value
        node = value.producer()
        assert node is not None
        return editing.input_of(node, 0)

    def bend(self, node: ir.Node) -> None:
        """Append a Relu, LeakyRelu or PRelu."""
        draft = self._taken(node)
        slopes: NDArray[np.float32] | None = np.zeros(1, np.float32)
        if node.op_type == "LeakyRelu":
            slopes = np.array([node.attributes.get_float("alpha", 0.01)], np.float32)
        elif node.op_type == "PRelu":
            slopes = editing.constant(node.inputs[1])
        if slopes is None:
            raise refusal("a PReLU computes its own slopes")
        draft.bend(_per_channel(slopes, draft.channels))
        self._go_on(node.outputs[0], draft)

    def shuffle(self, node: ir.Node) -> None:
        """Append a DepthToSpace."""
        if node.attributes.get_string("mode", "DCR") != "DCR":
            raise refusal("a pixel shuffle follows no convolution")
        draft = self._taken(node)
        draft.shuffle(node.attributes.get_int("blocksize", 1))
        self._go_on(node.outputs[0], draft)

    def multiply(self, node: ir.Node) -> None:
        """Mul of a layer's end by a constant, or of a stream by one number."""
        value, constant = _operands(node)
        if constant is None:
            raise refusal("it multiplies two values")
        if value in self._numbers and constant.size == 1:
            self._factors[node.outputs[0]] = value, float(constant.reshape(()))
            return
        draft = self._taken(node, value)
        draft.scale_by(_per_channel(constant, draft.channels))
        self._go_on(node.outputs[0], draft)

    def add_up(self, node: ir.Node) -> None:
        """Add a constant, or a residual, to a layer's end."""
        value, constant = _operands(node)
        if constant is None:
            self._add_residual(node)
            return
        draft = self._taken(node, value)
        draft.shift_by(_per_channel(constant, draft.channels))
        self._go_on(node.outputs[0], draft)

    def subtract(self, node: ir.Node) -> None:
        """Subtract a constant from the tile."""
        value, constant = editing.input_of(node, 0), editing.constant(node.inputs[1])
        if value is not self.model.graph.inputs[0] or constant is None:
            raise refusal("it subtracts from something other than the tile")
        self._offsets[node.outputs[0]] = -_per_channel(constant, _PICTURE_CHANNELS)

    def _add_residual(self, node: ir.Node) -> None:
        values = [editing.input_of(node, index) for index in (0, 1)]
        if values[1] not in self._drafts:
            values.reverse()
        other, end = values
        if end not in self._drafts or other is end:
            raise refusal("an addition follows no convolution")
        if other in self._drafts:
            self._close(other, self._drafts.pop(other))
        stream, factor = self._factors.get(other, (other, 1.0))
        draft = self._drafts.pop(end)
        draft.residual, draft.factor = self._numbers.get(stream), factor
        self._check_residual(draft)
        self._go_on(node.outputs[0], draft)

    def _check_residual(self, draft: _Draft) -> None:
        value = None if draft.residual is None else self.values[draft.residual]
        if value is None or value.kind is not Kind.STREAM:
            raise refusal("something other than a stream is added")
        if (value.channels, value.scale) != (draft.channels, draft.scale * draft.block):
            raise refusal("a stream of another size is added")

    def _taken(self, node: ir.Node, value: ir.Value | None = None) -> _Draft:
        """Return the layer that ends where a node reads."""
        value = editing.input_of(node, 0) if value is None else value
        draft = self._drafts.pop(value, None)
        if draft is None:
            raise refusal(f"{node.op_type} follows no convolution")
        return draft

    def _go_on(self, end: ir.Value, draft: _Draft) -> None:
        """Extend a layer to ``end``; keep it open if one more node may belong to it."""
        reader = editing.sole_consumer(end)
        if draft.residual is None and reader is not None and reader.op_type in _OPERATORS:
            self._drafts[end] = draft
        else:
            self._close(end, draft)

    def _close(self, end: ir.Value, draft: _Draft) -> None:
        readers = editing.consumers(end)
        quantizers = [reader for reader in readers if editing.is_op(reader, "QuantizeLinear")]
        stream, codes = None, None
        if end.is_graph_output():
            if readers:
                raise refusal("the picture is read again")
            stream = self._new_end(draft, Kind.PICTURE)
        elif len(quantizers) < len(readers):
            stream = self._new_end(draft, Kind.STREAM)
            assert end.name is not None
            self.streams[stream] = end.name
        if stream is not None:
            self._numbers[end] = stream
        if quantizers:
            codes = self._new_codes(draft, [_dequantized(quantizer) for quantizer in quantizers])
        self.layers.append(
            Layer(
                source=draft.source,
                residual=draft.residual,
                stream=stream,
                codes=codes,
                block=draft.block,
                factor=draft.factor,
                weights=draft.convolution.weights,
                weight_steps=draft.convolution.weight_steps,
                bias=draft.convolution.bias,
                slopes=draft.slopes,
                gains=draft.gains,
                shifts=draft.shifts,
            )
        )

    def _new_end(self, draft: _Draft, kind: Kind) -> int:
        return self._new(Value(kind, draft.channels, draft.scale * draft.block))

    def _new_codes(self, draft: _Draft, dequantized: list[ir.Value]) -> int:
        points = {quantization.read(value) for value in dequantized}
        if len(points) > 1:
            raise refusal("one value is quantized in two ways")
        (point,) = points
        assert point is not None
        value = Value(
            Kind.CODES,
            draft.channels,
            draft.scale * draft.block,
            signed=point.zero_point != 0,
            steps=(float(point.step),),
            bits=(_bits(point),),
        )
        number = self._new(value)
        self._numbers.update(dict.fromkeys(dequantized, number))
        return number

    def _new(self, value: Value) -> int:
        if value.kind is Kind.PICTURE and value.channels != _PICTURE_CHANNELS:
            raise refusal(f"its picture has {value.channels} channels")
        if value.kind is not Kind.PICTURE and value.channels % _CHANNEL_MULTIPLE:
            raise refusal(
                f"a layer has {value.channels} channels, not a multiple of {_CHANNEL_MULTIPLE}"
            )
        self.values.append(value)
        return len(self.values) - 1


_OPERATORS: dict[str, Callable[[_Translation, ir.Node], None]] = {
    "Add": _Translation.add_up,
    "DepthToSpace": _Translation.shuffle,
    "LeakyRelu": _Translation.bend,
    "Mul": _Translation.multiply,
    "PRelu": _Translation.bend,
    "Relu": _Translation.bend,
    "Sub": _Translation.subtract,
}
_PART_OF_QUANTIZATION = ("QuantizeLinear", "Clip", "DequantizeLinear")


def _is_float_clip(node: ir.Node) -> bool:
    return node.op_type == "Clip" and not editing.is_op(
        editing.input_of(node, 0).producer(), "QuantizeLinear"
    )


def _operands(node: ir.Node) -> tuple[ir.Value, NDArray[np.float32] | None]:
    """Return a value and the constant that it is combined with, None if there is none."""
    first, second = (editing.input_of(node, index) for index in (0, 1))
    constant = editing.constant(first)
    return (first, editing.constant(second)) if constant is None else (second, constant)


def _per_channel(constant: NDArray[np.float32], channels: int) -> NDArray[np.float32]:
    """Return (channels,) from one number or from a constant that broadcasts to an image."""
    if constant.size == 1:
        return np.full(channels, constant.reshape(()), np.float32)
    if constant.size != channels or constant.shape[-3:] != (channels, 1, 1):
        raise refusal(f"a constant of shape {constant.shape} is not one number per channel")
    return constant.reshape(channels).astype(np.float32)


def _dequantized(quantizer: ir.Node) -> ir.Value:
    """Return what the DequantizeLinear behind a quantizer makes."""
    node: ir.Node | None = quantizer
    while not editing.is_op(node, "DequantizeLinear"):
        assert node is not None
        node = editing.sole_consumer(node.outputs[0])
    assert node is not None
    return node.outputs[0]


def _bits(point: QuantizationPoint) -> int:
    bits = point.top.bit_length()
    fitting = point.top == (1 << bits) - 1 and point.zero_point in (0, 1 << (bits - 1))
    if not fitting or not 2 <= bits <= 8:
        raise refusal(
            f"activations have codes up to {point.top} with a zero point of {point.zero_point}"
        )
    return bits
