from __future__ import annotations

import struct
from functools import lru_cache

import numpy as np
import pytest

from engine.test_predictor import pack
from gdq_core.errors import EngineError
from gdq_core.sensitivity.statistics import LOG_STEPS, tile_statistics
from gdq_runtime.engines.native_library import NativeModel, NativeRunner
from runtime.engine_library import need_library
from sensitivities import draw_rule, draw_tiles

SIDE = 32
SIZES = [(32, 32), (96, 96), (128, 128), (4, 4), (5, 9), (16, 90), (185, 100), (8, 600)]


@lru_cache
def models() -> list[NativeModel]:
    """One for each instruction set that this processor has."""
    library, content = need_library(), pack(draw_rule(SIDE))
    sets = [isa for isa, is_available in library.instruction_sets().items() if is_available]
    return [NativeModel(library, content, isa) for isa in sets]


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_heads_are_those_of_numpy_on_every_instruction_set(height: int, width: int) -> None:
    rule = draw_rule(SIDE)
    for tile in draw_tiles(height, width):
        expected = rule.sense(tile)
        for model in models():
            assert NativeRunner(model, height, width).sense(tile) == expected


@pytest.mark.parametrize("side", [16, 96, 128, 1024])
def test_statistics_need_no_model(side: int) -> None:
    library = need_library()
    for height, width in SIZES:
        for tile in draw_tiles(height, width):
            found = library.tile_statistics(tile, side)
            np.testing.assert_array_equal(found, tile_statistics(tile, side))


def test_logarithms_turn_where_they_do_in_numpy() -> None:
    """A tile of 4x4 black pixels but for some has a sum of luma that can be chosen."""
    library = need_library()
    for step in [step for step in LOG_STEPS if step <= 4080]:
        for total in (step - 2, step - 1, step):
            pixels = np.zeros(16, np.uint8)
            full, rest = divmod(max(total, 0), 255)
            pixels[:full] = 255
            pixels[full : full + 1] = rest
            tile = np.repeat(pixels.reshape(4, 4, 1), 3, axis=2)
            np.testing.assert_array_equal(
                library.tile_statistics(tile, 4), tile_statistics(tile, 4)
            )


def test_a_gate_has_no_heads_and_heads_no_gate() -> None:
    model = models()[0]
    assert model.has_predictor
    tile = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(EngineError, match="no predictor"):
        NativeRunner(model, 8, 8).predict(tile)
    with pytest.raises(EngineError, match="no sensitivity heads"):
        NativeRunner(NativeModel(need_library(), pack(None)), 8, 8).sense(tile)


def test_refuses_a_tile_without_a_block() -> None:
    with pytest.raises(EngineError, match="4 to 4096 pixels"):
        NativeRunner(models()[0], 3, 8).sense(np.zeros((3, 8, 3), np.uint8))


@pytest.mark.parametrize(
    ("offset", "layout", "value", "sentence"),
    [
        (0, "I", 3, "predictor's kind"),
        (4, "I", 12, "side is out of range"),
        (4, "I", 30, "side is out of range"),
        (4, "I", 1 << 20, "side of the sensitivity's tiles is out of range"),
        (8, "3i", (1, 0, 2), "steps descend"),
        (40, "i", -(1 << 31), "overflow 32 bits"),
    ],
)
def test_refuses_damaged_heads(
    offset: int, layout: str, value: int | tuple[int, ...], sentence: str
) -> None:
    content = bytearray(pack(draw_rule(SIDE)))
    (place,) = struct.unpack_from("<Q", content, 56)
    values = value if isinstance(value, tuple) else (value,)
    struct.pack_into(f"<{layout}", content, place + offset, *values)
    with pytest.raises(EngineError, match=f"the packed model is damaged: .*{sentence}"):
        NativeModel(need_library(), bytes(content))


def test_refuses_heads_that_end_outside_the_file() -> None:
    content = bytearray(pack(draw_rule(SIDE)))
    (place,) = struct.unpack_from("<Q", content, 56)
    cut = content[: place + 100]
    struct.pack_into("<Q", cut, 32, len(cut))
    with pytest.raises(EngineError, match="the packed model is damaged"):
        NativeModel(need_library(), bytes(cut))
