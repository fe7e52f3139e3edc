from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from gdq_bench.measure.machine import processors
from gdq_bench.targets import host
from gdq_bench.targets.host import Plan, measure_host
from gdq_runtime.bundle.manifest import Format
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.base import Engine
from gdq_validate.agreement import Agreement, prove


def silent(_: str) -> AbstractContextManager[Callable[[int, int], None]]:
    return nullcontext(lambda done, total: None)


def test_one_run_tells_everything(bundle: Bundle, photos: Path) -> None:
    before = processors()
    result = measure_host(bundle, Plan("onnxruntime,litert", photos, 1), silent)
    assert processors() == before
    assert [engine.name for engine in result.engines] == ["onnxruntime", "litert"]
    assert result.baseline == "onnxruntime, 8 bits"
    assert (result.settings.bundle, result.settings.data) == ("tiny", "photos")
    assert [picture.name for picture in result.settings.pictures] == ["a", "b"]
    assert {tile.wall.rounds for tile in result.tiles} == {8} == {result.settings.tile_rounds}
    assert {picture.wall.rounds for picture in result.pictures} == {1}
    assert result.machine.processors == len(before)


def test_an_engine_that_computes_something_else_is_not_timed(
    bundle: Bundle, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compare(bundle: Bundle, engine: Engine, graph_format: Format) -> Agreement:
        found = prove(bundle, engine, graph_format)
        return found if engine.name == "litert" else found.model_copy(update={"same_bit_width": 0})

    monkeypatch.setattr("gdq_bench.measure.candidates.prove", compare)
    result = measure_host(bundle, Plan("onnxruntime,litert", photos, 1), silent)
    assert result.wrong == ["onnxruntime"]
    assert {timed.engine for timed in (*result.tiles, *result.pictures)} == {"litert"}
    assert result.baseline is None
    assert any(warning.startswith("onnxruntime was not timed") for warning in result.warnings)


def test_without_the_baseline_there_are_no_ratios(bundle: Bundle, photos: Path) -> None:
    result = measure_host(bundle, Plan("litert", photos, 1), silent)
    assert result.baseline is None
    assert {timed.ratio for timed in (*result.tiles, *result.pictures)} == {None}


def test_sample_photos_are_the_default(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "_WIDTH", 131)
    monkeypatch.setattr(host, "_HEIGHT", 100)
    result = measure_host(bundle, Plan("onnxruntime", None, 1), silent)
    assert result.settings.data == "scikit-image samples"
    (picture,) = result.settings.pictures
    # What is beyond a multiple of the scale is cut off.
    assert (picture.width, picture.height) == (130, 100)


def test_a_computer_that_cannot_pin_says_so(
    bundle: Bundle, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gdq_bench.targets.host.can_pin", lambda: False)
    result = measure_host(bundle, Plan("litert", photos, 1), silent)
    assert "this system cannot pin threads to processors: times may vary" in result.warnings
