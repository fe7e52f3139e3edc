from __future__ import annotations

import struct
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine import reference
from gdq_exporter.targets.engine.packed_model import Kind, Layer, PackedModel, Value

BIT_WIDTHS = st.sampled_from([(4,), (8,), (4, 8), (4, 5, 6), (4, 5, 6, 8)])
STEPS = st.floats(2**-20, 2**20, width=32)


def floats(rng: np.random.Generator, *shape: int) -> NDArray[np.float32]:
    return rng.standard_normal(shape).astype(np.float32)


@st.composite
def models(draw: Any) -> PackedModel:
    """A head that writes a stream and codes, integer layers upon each other, a tail."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    bit_widths, scale = draw(BIT_WIDTHS), draw(st.integers(2, 4))
    channels = 16 * draw(st.integers(1, 2))

    def codes() -> Value:
        steps = tuple(draw(STEPS) for _ in bit_widths)
        return Value(Kind.CODES, channels, 1, draw(st.booleans()), steps, bit_widths)

    def stream() -> Value:
        return Value(Kind.STREAM, channels, 1, steps=(draw(STEPS),))

    def per_channel(outputs: int) -> NDArray[np.float32] | None:
        return floats(rng, outputs) if draw(st.booleans()) else None

    values = [Value(Kind.PICTURE, 3, 1), stream(), codes()]
    kernel = draw(st.sampled_from([1, 3, 5, 9]))
    weights = floats(rng, 1, channels, 3, kernel, kernel)
    head = Layer(
        0, None, 1, 2, 1, 0.0, weights, None, floats(rng, 1, channels), per_channel(channels),
        None, None,
    )  # fmt: skip
    layers = [head]
    for _ in range(draw(st.integers(1, 3))):
        gains = per_channel(channels)
        values += [stream(), codes()]
        layers.append(
            Layer(
                source=len(values) - 3,
                residual=len(values) - 4,
                stream=len(values) - 2,
                codes=len(values) - 1,
                block=1,
                factor=draw(st.floats(-2, 2, width=32)),
                weights=rng.integers(-128, 128, (channels, channels, 3, 3)).astype(np.int8),
                weight_steps=floats(rng, draw(st.sampled_from([1, channels]))),
                bias=floats(rng, len(bit_widths), channels),
                slopes=per_channel(channels),
                gains=gains,
                shifts=None if gains is None else floats(rng, channels),
            )
        )
    outputs, places = 3 * scale**2, draw(st.sampled_from([1, 9]))
    tail = Layer(
        len(values) - 2, None, len(values), None, scale, 0.0,
        floats(rng, places, outputs, channels, 5, 5), None, floats(rng, places, outputs),
        None, None, None,
    )  # fmt: skip
    # The last integer layer's codes have no reader here; the format does not mind.
    values.append(Value(Kind.PICTURE, 3, scale))
    return PackedModel(scale, bit_widths, tuple(values), (*layers, tail))


@settings(max_examples=40)
@given(models())
def test_an_independent_reader_finds_what_was_packed(model: PackedModel) -> None:
    read = reference.read(model.to_bytes())
    assert (read.scale, read.bit_widths) == (model.scale, model.bit_widths)
    for theirs, ours in zip(read.values, model.values, strict=True):
        assert (theirs.kind, theirs.channels) == (ours.kind, ours.channels)
        assert (theirs.scale, theirs.signed) == (ours.scale, ours.signed)
        assert theirs.steps == ours.steps + (0,) * (4 - len(ours.steps))
        assert theirs.bits == ours.bits + (0,) * (4 - len(ours.bits))
    for their_layer, our_layer in zip(read.layers, model.layers, strict=True):
        for name in ("source", "residual", "stream", "codes"):
            number = getattr(our_layer, name)
            assert getattr(their_layer, name) == (-1 if number is None else number)
        assert their_layer.block == our_layer.block
        assert their_layer.factor == our_layer.factor
        assert their_layer.places == our_layer.places
        for name in ("weights", "weight_steps", "bias", "slopes", "gains", "shifts"):
            their_array, our_array = getattr(their_layer, name), getattr(our_layer, name)
            assert (their_array is None) == (our_array is None), name
            if our_array is not None:
                assert their_array.dtype == our_array.dtype
                np.testing.assert_array_equal(their_array, our_array)


@settings(max_examples=20)
@given(models())
def test_tensors_are_aligned_in_order_and_fill_the_file(model: PackedModel) -> None:
    content = model.to_bytes()
    end = _tensors_begin(content) + 24 * len(_tensors(content))
    for kind, zero, elements, offset in _tensors(content):
        assert zero == 0
        assert offset % 64 == 0
        assert end <= offset < end + 64
        assert not any(content[end:offset])
        end = offset + elements * (4 if kind == 0 else 1)
    assert end == len(content)


@settings(max_examples=10)
@given(models())
def test_identical_tensors_are_stored_once(model: PackedModel) -> None:
    first, *others = model.layers[1:-1]
    same = [replace(one, weights=first.weights, bias=first.bias) for one in others]
    model = replace(model, layers=(model.layers[0], first, *same, model.layers[-1]))
    tensors = [tensor for layer in model.layers for tensor in layer.tensors() if tensor is not None]
    distinct = {(tensor.dtype, tensor.tobytes()) for tensor in tensors}
    assert len(_tensors(model.to_bytes())) == len(distinct)


def test_equal_bytes_of_another_type_are_another_tensor() -> None:
    """Zeros: 16 real ones take as many bytes as 64 integers."""
    zeros, integers = np.zeros(16, np.float32), np.zeros((16, 16, 3, 3), np.int8)
    layer = Layer(
        0, None, 1, None, 1, 0.0, integers, zeros, np.zeros((1, 576), np.float32), zeros, zeros,
        zeros,
    )  # fmt: skip
    content = PackedModel(2, (4,), (Value(Kind.PICTURE, 3, 1),) * 2, (layer,)).to_bytes()
    assert [tensor[0] for tensor in _tensors(content)] == [1, 0, 0]


@pytest.mark.parametrize("cut", [0, 7, 63, 64, 200, -1])
def test_the_reader_of_these_tests_is_strict(cut: int) -> None:
    zeros = np.zeros((1, 12), np.float32)
    layer = Layer(
        0, None, 1, None, 2, 0.0, np.zeros((1, 12, 3, 3, 3), np.float32), None, zeros, None, None,
        None,
    )  # fmt: skip
    values = (Value(Kind.PICTURE, 3, 1), Value(Kind.PICTURE, 3, 2))
    whole = PackedModel(2, (4,), values, (layer,)).to_bytes()
    reference.read(whole)
    with pytest.raises(ValueError, match="not a packed model"):
        reference.read(whole[:cut])


def _tensors_begin(content: bytes) -> int:
    values, layers = struct.unpack_from("<2I", content, 20)
    return 64 + 48 * int(values) + 64 * int(layers)


def _tensors(content: bytes) -> list[tuple[int, int, int, int]]:
    """Type, zero, elements, offset of each."""
    (count,) = struct.unpack_from("<I", content, 28)
    at = _tensors_begin(content)
    return list(struct.iter_unpack("<2I2Q", content[at : at + 24 * count]))
