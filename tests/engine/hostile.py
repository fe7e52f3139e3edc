"""Packed models made wrong, field by field, and what the engine must make of anything at all."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from engine.library import instruction_sets, need_library
from engine.packed import HEADER, LAYER, TENSOR, VALUE
from gdq_core.errors import EngineError
from gdq_runtime.engines.native_library import NativeModel, NativeRunner

INTEGERS = (0, 1, 2, 3, 4, 5, 9, 15, 16, 17, 48, 4096, 4097, 1 << 31, (1 << 31) - 1, (1 << 32) - 1)
FLOATS = (0.0, -0.0, 1e-45, 1e-38, 3.4e38, -1.0, float("inf"), float("-inf"), float("nan"))
LONGS = (0, 1, 63, 64, 1 << 31, 1 << 32, 1 << 62, (1 << 63) - 1, (1 << 64) - 1)

_TILE = np.arange(5 * 6 * 3, dtype=np.uint8).reshape(5, 6, 3)
_SIZE_FIELD = 32


@dataclass(frozen=True)
class Field:
    """A number of the file's tables."""

    offset: int
    format: str
    """Of struct: I, i, f or Q."""

    def hostile(self) -> list[bytes]:
        numbers = {"f": FLOATS, "Q": LONGS}.get(self.format, INTEGERS)
        form = "<I" if self.format == "i" else "<" + self.format
        return [struct.pack(form, number) for number in numbers]


def fields(content: bytes) -> list[Field]:
    """All numbers of header, values, layers and tensors, in order."""
    values, layers, tensors = struct.unpack_from("<3I", content, 20)
    tables = [HEADER, *[VALUE] * values, *[LAYER] * layers, *[TENSOR] * tensors]
    found, offset = [], 0
    for table in tables:
        for letter in _letters(table):
            if letter != "s":
                found.append(Field(offset, letter))
            offset += struct.calcsize("8s" if letter == "s" else "<" + letter)
    return found


def replaced(content: bytes, offset: int, piece: bytes) -> bytes:
    return content[:offset] + piece + content[offset + len(piece) :]


def with_true_size(content: bytes) -> bytes:
    """The header says how long the file is, so that what comes after that check is reached."""
    if len(content) < _SIZE_FIELD + 8:
        return content
    return replaced(content, _SIZE_FIELD, struct.pack("<Q", len(content)))


def survive(content: bytes) -> str | None:
    """Loads the bytes; the sentence of a refusal. What is accepted runs a tile at every width."""
    try:
        model = NativeModel(need_library(), content, instruction_sets()[0])
    except EngineError as error:
        refusal = str(error)
        return refusal or pytest.fail("refused without a reason")
    for bit_width in model.bit_widths:
        picture = NativeRunner(model, *_TILE.shape[:2]).run(bit_width, _TILE)
        assert picture.shape == (5 * model.scale, 6 * model.scale, 3)
    return None


def _letters(table: str) -> Iterator[str]:
    """``<2If`` -> I, I, f."""
    count = ""
    for letter in table[1:]:
        if letter.isdigit():
            count += letter
            continue
        yield from letter if letter == "s" else letter * int(count or 1)
        count = ""
