from __future__ import annotations

import struct
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from exporter.predictors import NETWORKS, Tile, assert_predicted, expected, network
from factories import sample_tiles, tiny_edsr
from gdq_core.errors import EngineError
from gdq_core.sensitivity.rule import SensitivityRule
from gdq_exporter.calibration import load_calibration
from gdq_exporter.targets.engine.packed_model import Kind, Layer, PackedModel, Value
from gdq_models.predictor.parameters import PredictorParameters
from gdq_runtime.engines.native_library import NativeModel, NativeRunner
from runtime.engine_library import need_library

SIZES = [(4, 4), (5, 7), (7, 5), (8, 13), (18, 33), (32, 32), (100, 99), (6, 600)]
"""Odd ones, of which pooling leaves out the last rows; more patches than are summed together."""


def pack(parameters: PredictorParameters | SensitivityRule | None) -> bytes:
    """A packed model that has little beside a predictor."""
    values = (Value(Kind.PICTURE, 3, 1), Value(Kind.PICTURE, 3, 2))
    layer = Layer(
        source=0, residual=None, stream=1, codes=None, block=2, factor=0.0,
        weights=np.zeros((1, 12, 3, 1, 1), np.float32), weight_steps=None,
        bias=np.zeros((1, 12), np.float32), slopes=None, gains=None, shifts=None,
    )  # fmt: skip
    return PackedModel(2, (4, 5, 6, 8), values, (layer,), parameters).to_bytes()


@lru_cache
def packed(name: str) -> bytes:
    return pack(network(name).predictor_parameters())


@lru_cache
def models(name: str) -> list[NativeModel]:
    """One for each instruction set that this processor has."""
    library = need_library()
    sets = [isa for isa, is_available in library.instruction_sets().items() if is_available]
    return [NativeModel(library, packed(name), isa) for isa in sets]


def assert_equal(name: str, tile: Tile) -> None:
    for model in models(name):
        logits, entropy, bit_width = NativeRunner(model, *tile.shape[:2]).predict(tile)
        assert_predicted(
            name, tile, logits[None], np.array([entropy], np.float32), np.array([bit_width])
        )


def pictures(height: int, width: int) -> list[Tile]:
    """From nearly flat to noisy, one colour, ramps, and colours that change from pixel to pixel."""
    size = max(height, width)
    photo = load_calibration(None, 96, 1).tiles[0]
    tiles = list(sample_tiles(3, size=size, seed=height).permute(0, 2, 3, 1).byte().numpy())
    tiles += [np.full((size, size, 3), value, np.uint8) for value in (0, 77, 255)]
    ramp = np.linspace(0, 255, size).astype(np.uint8)
    tiles += [np.broadcast_to(one[..., None], (size, size, 3)) for one in (ramp, ramp[:, None])]
    tiles.append(np.random.default_rng(height).integers(0, 256, (size, size, 3), np.uint8))
    tiles.append(np.tile(photo, (size // 96 + 1, size // 96 + 1, 1)))
    checks = np.indices((size, size)).sum(axis=0) % 2 * 255
    tiles.append(np.broadcast_to(checks[..., None], (size, size, 3)).astype(np.uint8))
    return [tile[:height, :width] for tile in tiles]


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize("name", NETWORKS)
def test_equals_torch(name: str, height: int, width: int) -> None:
    for tile in pictures(height, width):
        assert_equal(name, tile)


@pytest.mark.parametrize("name", NETWORKS)
def test_equals_torch_on_photos(name: str) -> None:
    for tile in load_calibration(None, 96, 6).tiles:
        assert_equal(name, tile)


@pytest.mark.parametrize("name", NETWORKS)
@settings(max_examples=25)
@given(tile=hnp.arrays(np.uint8, st.tuples(st.integers(4, 13), st.integers(4, 13), st.just(3))))
@example(tile=np.full((6, 9, 3), (255, 0, 0), np.uint8))
def test_equals_torch_on_any_tile(name: str, tile: Tile) -> None:
    assert_equal(name, tile)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_bit_width_is_decided_as_torch_does(name: str) -> None:
    decided = set()
    for picture in sample_tiles(32, seed=5):
        tile = picture.permute(1, 2, 0).byte().numpy()
        assert_equal(name, tile)
        decided.add(int(expected(name, tile).bit_width))
    assert decided == {4, 5, 6, 8}


def test_instruction_sets_agree_on_the_gate_to_the_last_bit() -> None:
    """Its sums are integers."""
    for tile in pictures(40, 33):
        answers = [NativeRunner(model, 40, 33).predict(tile)[0] for model in models("group norm")]
        for answer in answers[1:]:
            np.testing.assert_array_equal(answer, answers[0])


def test_large_tiles_do_not_overflow() -> None:
    """White next to black: the largest numbers and the largest sums."""
    tile = np.zeros((520, 516, 3), np.uint8)
    tile[:, 258:] = 255
    assert_equal("group norm", tile)


def test_ties_of_logits_go_to_the_smaller_width_and_of_entropy_below_the_threshold() -> None:
    """As torch's argmax and the paper's ``H <= threshold``."""
    tiny = tiny_edsr(2, "linear")
    tile = np.full((8, 8, 3), 77, np.uint8)

    def predict() -> tuple[Any, float, int]:
        model = NativeModel(need_library(), pack(tiny.predictor_parameters()))
        return NativeRunner(model, 8, 8).predict(tile)

    with torch.no_grad():
        tiny.gate_predictor.gate.linear.weight.zero_()
        tiny.gate_predictor.gate.linear.bias.copy_(torch.tensor([1.0, 1.0, 0.0]))
    _, entropy, bit_width = predict()
    assert bit_width == 4
    tiny.gate_predictor.gate.linear.bias.data[2] = 2
    for threshold, width in ((np.nextafter(entropy, 9) + 1e-6, 4), (entropy - 1e-6, 8)):
        tiny.gate_predictor.e2b.entropies.fill_(threshold)
        assert predict()[2] == width


@pytest.mark.parametrize(("height", "width"), [(3, 8), (8, 3)])
def test_refuses_a_tile_without_a_coarse_granularity(height: int, width: int) -> None:
    runner = NativeRunner(models("linear")[0], height, width)
    with pytest.raises(EngineError, match=f"a tile of {width}x{height} pixels is too small"):
        runner.predict(np.zeros((height, width, 3), np.uint8))


def test_a_model_may_have_no_predictor() -> None:
    model = NativeModel(need_library(), pack(None))
    assert not model.has_predictor
    assert models("linear")[0].has_predictor
    with pytest.raises(EngineError, match="no predictor"):
        NativeRunner(model, 8, 8).predict(np.zeros((8, 8, 3), np.uint8))


NONE, INFINITE = -1, float("inf")
DAMAGED = {
    # what: network, offset in the record, layout, value, sentence
    "gate": ("group norm", 0, "I", 3, "predictor's kind"),
    "linear with groups": ("group norm", 0, "I", 0, "a linear gate has a norm"),
    "norm without groups": ("linear", 0, "I", 1, "groups do not divide"),
    "even kernel": ("linear", 4, "I", 2, "kernel has an even side"),
    "large kernel": ("linear", 4, "I", 11, "kernel is out of range"),
    "other kernel": ("linear", 4, "I", 5, "lacks the weights that it needs"),
    "no channels": ("linear", 8, "I", 0, "no channels"),
    "many channels": ("linear", 8, "I", 1 << 31, "channels is out of range"),
    "other channels": ("linear", 8, "I", 32, "lacks the weights that it needs"),
    "groups": ("group norm", 12, "I", 3, "groups do not divide"),
    "many groups": ("group norm", 12, "I", 65, "groups is out of range"),
    "gate's width": ("linear", 16, "I", 7, "bit-width that the model does not have"),
    "large width": ("linear", 20, "I", 9, "bit-width of the gate is out of range"),
    "order of widths": ("linear", 16, "3I", (6, 4, 8), "bit-widths do not ascend"),
    "entropy's width": ("linear", 36, "I", 3, "bit-width that the model does not have"),
    "threshold": ("linear", 40, "d", INFINITE, "threshold is not finite"),
    "order of thresholds": ("linear", 40, "2d", (2.0, 1.0), "thresholds do not ascend"),
    "epsilon": ("group norm", 56, "d", 0.0, "epsilon is not positive"),
    "infinite epsilon": ("group norm", 56, "d", INFINITE, "epsilon is not finite"),
    "mean": ("linear", 68, "f", INFINITE, "mean is not finite"),
    "head's weights": ("linear", 76, "i", NONE, "lacks the weights that it needs"),
    "head's bias": ("linear", 80, "i", 0, "lacks the biases that it needs"),
    "gate's weights": ("linear", 84, "i", 1000, "gate's tensor of weights does not exist"),
    "gate's bias": ("linear", 88, "i", NONE, "biases of the gate that it needs"),
    "norm's weights": ("group norm", 92, "i", NONE, "weights of the norm that it needs"),
    "linear with weights": ("linear", 92, "i", 0, "a linear gate has a norm"),
    "norm's biases": ("group norm", 96, "i", -2, "norm's tensor of biases does not exist"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGED)
def test_refuses_a_damaged_predictor(damage: str) -> None:
    name, offset, layout, value, sentence = DAMAGED[damage]
    content = bytearray(packed(name))
    (place,) = struct.unpack_from("<Q", content, 56)
    values = value if isinstance(value, tuple) else (value,)
    struct.pack_into(f"<{layout}", content, place + offset, *values)
    with pytest.raises(EngineError, match=f"the packed model is damaged: .*{sentence}"):
        NativeModel(need_library(), bytes(content))


@pytest.mark.parametrize("place", [8, 1 << 20, 1 << 63, "odd", "end"])
def test_refuses_another_place_of_the_predictor(place: int | str) -> None:
    content = bytearray(packed("linear"))
    (good,) = struct.unpack_from("<Q", content, 56)
    moved = {"odd": good + 4, "end": len(content) // 8 * 8}
    struct.pack_into("<Q", content, 56, moved[place] if isinstance(place, str) else place)
    with pytest.raises(EngineError, match="the packed model is damaged: "):
        NativeModel(need_library(), bytes(content))
