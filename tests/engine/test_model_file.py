"""The loader trusts nothing: each damaged file is refused with a sentence, or runs."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.hostile import fields, replaced, survive, with_true_size
from engine.library import need_library
from engine.networks import NETWORKS, Builder
from engine.packed import NONE, PICTURE, STREAM, Value
from gdq_core.errors import EngineError
from gdq_runtime.engines.native_library import NativeModel, NativeRunner


@pytest.fixture(autouse=True)
def _library() -> None:
    need_library()


@pytest.fixture(params=NETWORKS)
def content(request: pytest.FixtureRequest) -> bytes:
    return NETWORKS[request.param](0, 2).to_bytes()


def table(content: bytes, name: str, index: int) -> int:
    """Where a row of a table begins."""
    values: int
    layers: int
    values, layers = struct.unpack_from("<2I", content, 20)
    starts = {"value": 64, "layer": 64 + 48 * values, "tensor": 64 + 48 * values + 64 * layers}
    return starts[name] + index * {"value": 48, "layer": 64, "tensor": 24}[name]


def put(name: str, index: int, offset: int, form: str, number: float) -> Callable[[bytes], bytes]:
    def change(content: bytes) -> bytes:
        return replaced(content, table(content, name, index) + offset, struct.pack(form, number))

    return change


WRONG = [
    # offsets: FORMAT.md; of residual_blocks
    (lambda c: b"", "ends too early"),
    (lambda c: b"GDQMODEK" + c[8:], "not a packed model"),
    (lambda c: replaced(c, 8, b"\2"), "has version 2, this engine reads version 1; export"),
    (lambda c: replaced(c, 12, b"\1"), "the scale is out of range"),
    (lambda c: replaced(c, 12, b"\5"), "the scale is out of range"),
    (lambda c: replaced(c, 16, b"\0"), "holds no network"),
    (lambda c: replaced(c, 16, b"\5"), "number of bit-widths is out of range"),
    (lambda c: replaced(c, 20, struct.pack("<I", 4097)), "number of values is out of range"),
    (lambda c: replaced(c, 20, struct.pack("<I", 4096)), "ends too early"),
    (lambda c: replaced(c, 24, bytes(4)), "holds no network"),
    (lambda c: replaced(c, 28, bytes(4)), "does not exist"),
    (lambda c: c + b"\0", "shorter or longer than it says"),
    (lambda c: c[:-1], "shorter or longer than it says"),
    (lambda c: replaced(c, 40, b"\1"), "bit-width is out of range"),
    (lambda c: replaced(c, 44, b"\4"), "do not ascend"),
    (put("value", 0, 8, "<I", 2), "first value is not a tile"),
    (put("value", 0, 0, "<I", 3), "value's kind is out of range"),
    (put("value", 1, 4, "<I", 17), "not a multiple of 16"),
    (put("value", 1, 4, "<I", 0), "not a multiple of 16"),
    (put("value", 1, 4, "<I", 32), "differ in their channels"),
    (put("value", 1, 8, "<I", 0), "value's scale is out of range"),
    (put("value", 1, 16, "<f", float("nan")), "step is not finite"),
    (put("value", 1, 16, "<f", 0), "step is not positive"),
    (put("value", 1, 16, "<f", -1), "step is not positive"),
    (put("value", 2, 32, "<I", 1), "number of bits is out of range"),
    (put("value", 2, 32, "<I", 9), "number of bits is out of range"),
    (put("value", 2, 12, "<I", 2), "value's sign is out of range"),
    (put("layer", 0, 0, "<i", -1), "reads a value before it is written"),
    (put("layer", 0, 0, "<i", -2), "source does not exist"),
    (put("layer", 0, 0, "<i", 1), "reads a value before it is written"),
    (put("layer", 0, 0, "<i", 10_000), "source does not exist"),
    (put("layer", 2, 4, "<i", 5), "residual is not a stream written before"),
    (put("layer", 2, 4, "<i", 2), "residual is not a stream"),
    (put("layer", 2, 4, "<i", 4), "residual is not a stream"),
    (put("layer", 2, 8, "<i", 1), "value is written twice"),
    (put("layer", 2, 8, "<i", 0), "value is written twice"),
    (put("layer", 2, 12, "<i", 1), "value is written twice"),
    (put("layer", 2, 12, "<i", -1), "reads a value before it is written"),
    (put("layer", 0, 16, "<I", 2), "kernel has an even side"),
    (put("layer", 0, 16, "<I", 0), "kernel has an even side"),
    (put("layer", 0, 16, "<I", 11), "kernel's side is out of range"),
    (put("layer", 1, 16, "<I", 5), "integer layer is not 3x3"),
    (put("layer", 0, 20, "<I", 0), "block has no size"),
    (put("layer", 0, 20, "<I", 5), "block is out of range"),
    (put("layer", 0, 20, "<I", 2), "a layer and what it writes differ in their channels"),
    (put("layer", 0, 24, "<I", 16), "a layer and its source differ in their channels"),
    (put("layer", 0, 28, "<I", 4097), "number of channels is out of range"),
    (put("layer", 0, 28, "<I", 32), "lacks the weights that it needs"),
    (put("layer", 2, 32, "<f", float("inf")), "residual's factor is not finite"),
    (put("layer", 1, 36, "<i", -1), "lacks the weights that it needs"),
    (put("layer", 1, 36, "<i", 0), "lacks the weights that it needs"),
    (put("layer", 1, 40, "<i", -1), "wrong number of weight steps"),
    (put("layer", 1, 40, "<i", 0), "wrong number of weight steps"),
    (put("layer", 0, 44, "<i", -1), "lacks the biases that it needs"),
    (put("layer", 1, 52, "<i", 3), "gains without shifts, or shifts without gains"),
    (put("layer", 0, 60, "<I", 9), "lacks the weights that it needs"),
    (put("layer", 0, 60, "<I", 4), "impossible number of places"),
    (put("layer", 0, 60, "<I", 0), "impossible number of places"),
    (put("tensor", 0, 0, "<I", 2), "tensor's type is out of range"),
    (put("tensor", 0, 0, "<I", 1), "lacks the weights that it needs"),
    (put("tensor", 0, 8, "<Q", 1 << 62), "ends outside the file"),
    (put("tensor", 0, 8, "<Q", 431), "lacks the weights that it needs"),
    (put("tensor", 0, 16, "<Q", 65), "does not begin at a multiple of 64"),
    (put("tensor", 0, 16, "<Q", 1 << 63), "ends outside the file"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "sentence"), WRONG, ids=[sentence for _, sentence in WRONG])
def test_says_what_is_wrong(change: Callable[[bytes], bytes], sentence: str) -> None:
    content = NETWORKS["residual_blocks"](0, 2).to_bytes()
    assert survive(content) is None
    assert sentence in str(survive(change(content)))


def test_refuses_every_truncation(content: bytes) -> None:
    tables = [field.offset for field in fields(content)]
    random = np.random.default_rng(0)
    for length in (*tables, *random.integers(0, len(content), 200), len(content) - 1):
        assert "packed model" in str(survive(content[:length]))
        assert "packed model" in str(survive(with_true_size(content[:length])))


@pytest.mark.parametrize("name", NETWORKS)
def test_survives_every_hostile_number(name: str) -> None:
    """Each number of the tables becomes each of the hostile ones."""
    content = NETWORKS[name](0, 2, bit_widths=(4, 8)).to_bytes()
    refused = 0
    for field in fields(content):
        for piece in field.hostile():
            refused += survive(replaced(content, field.offset, piece)) is not None
    assert refused > len(fields(content))


@pytest.mark.parametrize("seed", range(8))
def test_survives_random_damage(seed: int) -> None:
    """Several numbers at once: hostile ones, others of the same file, or random ones."""
    random = np.random.default_rng(seed)
    originals = [network(seed, 2, bit_widths=(5, 8)).to_bytes() for network in NETWORKS.values()]
    for _ in range(150):
        content = originals[random.integers(len(originals))]
        places = fields(content)
        for _ in range(random.integers(1, 4)):
            field, other = (places[random.integers(len(places))] for _ in range(2))
            size = struct.calcsize("<" + field.format)
            pieces = [*field.hostile(), content[other.offset :][:size], random.bytes(size)]
            content = replaced(content, field.offset, pieces[random.integers(len(pieces))])
        survive(content)


@pytest.mark.parametrize("seed", range(4))
def test_survives_damaged_tensors(seed: int) -> None:
    """Numbers of any magnitude: the file is refused for what is not finite only."""
    random = np.random.default_rng(seed)
    content = NETWORKS["parametric_blocks"](seed, 2).to_bytes()
    last = fields(content)[-1]
    for _ in range(60):
        damaged = bytearray(content)
        for _ in range(20):
            place = int(random.integers((last.offset + 8) // 4 + 1, len(content) // 4)) * 4
            damaged[place : place + 4] = random.bytes(4)
        survive(bytes(damaged))


@pytest.mark.parametrize("factor", [1e-38, 1e-30, 1e30, 1e36])
def test_survives_extreme_steps(factor: float) -> None:
    for name in ("residual_blocks", "parametric_blocks"):
        network = NETWORKS[name](0, 2)
        for value in network.values:
            value.steps = tuple(factor * step for step in value.steps)
        survive(network.to_bytes())
        network = NETWORKS[name](0, 2)
        for layer in network.layers:
            if layer.weight_steps is not None:
                layer.weight_steps = layer.weight_steps * np.float32(factor)
        survive(network.to_bytes())


def test_refuses_weight_steps_of_zero() -> None:
    network = NETWORKS["residual_blocks"](0, 2)
    network.layers[1].weight_steps = np.zeros(16, np.float32)
    assert "weight step is not positive" in str(survive(network.to_bytes()))


def test_refuses_what_is_never_made() -> None:
    network = NETWORKS["residual_blocks"](0, 2)
    network.values.insert(len(network.values) - 1, Value(STREAM, 16, steps=(1.0,)))
    network.layers[-1].stream += 1
    assert "a value is never written" in str(survive(network.to_bytes()))


def test_refuses_a_picture_between() -> None:
    network = NETWORKS["residual_blocks"](0, 2)
    network.values.insert(1, Value(PICTURE, 3))
    assert survive(network.to_bytes())


def test_refuses_a_cycle() -> None:
    network = NETWORKS["residual_blocks"](0, 2)
    network.layers[1], network.layers[2] = network.layers[2], network.layers[1]
    assert "reads a value before it is written" in str(survive(network.to_bytes()))


def test_refuses_a_last_layer_that_does_more() -> None:
    network = NETWORKS["residual_blocks"](0, 2)
    network.layers[-1].slopes = np.zeros(12, np.float32)
    assert "does more than write the picture" in str(survive(network.to_bytes()))


def test_refuses_overlapping_tensors() -> None:
    """Thousands of tensors over the same bytes would take hours to look at."""
    content = NETWORKS["only_pictures"](0, 2).to_bytes()
    start = table(content, "tensor", 0)
    tensors = 16384
    padding = bytes(-(start + 24 * tensors) % 64)
    at_data = start + 24 * tensors + len(padding)
    table_ = struct.pack("<2I2Q", 0, 0, 1 << 16, at_data) * tensors
    overlapping = replaced(content[:start], 28, struct.pack("<I", tensors)) + table_ + padding
    overlapping += bytes(4 << 16)
    assert "its tensors overlap" in str(survive(with_true_size(overlapping)))


def test_refuses_shared_weights_without_end() -> None:
    """Layers may share weights, but each packs its own: a small file must not ask for gigabytes."""
    content = shared_weights(1000, channels=512)
    assert len(content) < 3 << 20
    assert "too many weights" in str(survive(content))
    assert survive(shared_weights(3, channels=64)) is None


def shared_weights(layers: int, channels: int) -> bytes:
    """Integer layers, one after the other, which all have the first one's tensors."""
    b = Builder(0, 2, channels)
    codes = b.codes()
    b.real(0, 1, codes=codes)
    last, codes = codes, b.codes()
    b.integer(last, codes=codes)
    first = b.network.layers[-1]
    for _ in range(layers - 1):
        last, codes = codes, b.codes()
        b.network.layers.append(replace(first, source=last, codes=codes))
    end = b.stream()
    b.network.layers.append(replace(first, source=codes, codes=NONE, stream=end))
    b.real(end, 1, block=2, stream=b.picture())
    return b.network.to_bytes()


def test_refuses_tiles_that_need_gigabytes() -> None:
    """1024 channels cost 12 KiB of weights in the file, and 2 KiB for each pixel of a tile."""
    b = Builder(0, 2, channels=1024)
    wide = b.stream()
    b.real(0, 1, stream=wide)
    b.real(wide, 1, block=2, stream=b.picture())
    model = NativeModel(need_library(), b.network.to_bytes())
    with pytest.raises(
        EngineError, match=r"tiles of 4000x3000 pixels need more than 2048 MiB with"
    ):
        NativeRunner(model, 3000, 4000)
    NativeRunner(model, 8, 8)


def test_refuses_a_file_that_is_not_there(tmp_path: Path) -> None:
    functions = need_library().functions
    for path in (tmp_path / "none.gdq", tmp_path):
        assert functions.gdq_model_load(str(path).encode(), None) is None
        assert f"{path}: cannot be read: " in need_library().last_error()


def test_reads_a_file(tmp_path: Path) -> None:
    functions = need_library().functions
    path = tmp_path / "model.gdq"
    path.write_bytes(NETWORKS["only_pictures"](0, 3).to_bytes())
    model = functions.gdq_model_load(str(path).encode(), None)
    assert functions.gdq_model_scale(model) == 3
    functions.gdq_model_free(model)
    path.write_bytes(b"no model, but long enough to be one" * 10)
    assert functions.gdq_model_load(str(path).encode(), None) is None
    assert need_library().last_error() == f"{path}: this is not a packed model"
