from __future__ import annotations

from pathlib import Path

import pytest

from gdq_core.errors import EngineError
from gdq_runtime.engines import native_library, sensing
from gdq_runtime.engines.sensing import open_sense
from runtime.engine_library import need_library
from sensitivities import draw_rule, draw_tiles


def test_the_library_and_numpy_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    need_library()
    rule = draw_rule(96)
    by_library = [open_sense(rule)(tile) for tile in draw_tiles(96)]

    def load_nothing() -> native_library.NativeLibrary:
        return native_library.NativeLibrary(Path("nowhere"))

    with pytest.raises(EngineError):
        load_nothing()
    monkeypatch.setattr(sensing, "load_library", load_nothing)
    assert [open_sense(rule)(tile) for tile in draw_tiles(96)] == by_library
