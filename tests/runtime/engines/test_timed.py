from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gdq_core.errors import EngineError
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines import cost_measurement
from gdq_runtime.engines.costs import Costs
from gdq_runtime.engines.kept_costs import costs_folder
from gdq_runtime.engines.timed import EngineReport, TimedEngine
from runtime.engines.slow_engine import SlowEngine
from runtime.tiny_bundle import upscale, write_tiny_bundle

TILE = np.zeros((4, 4, 3), np.uint8)
LADDER = {4: 4.0, 5: 5.0, 6: 6.0, 8: 8.0}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return Bundle.open(write_tiny_bundle(tmp_path / "bundle"))


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> SlowEngine:
    """An engine whose clock is what costs are measured by."""
    engine = SlowEngine(LADDER)
    monkeypatch.setattr(cost_measurement.measure_costs, "__defaults__", (engine.clock,))
    return engine


def test_answers_as_the_engine_does() -> None:
    slow = SlowEngine(LADDER, used="sofa")
    engine = TimedEngine(slow)
    np.testing.assert_array_equal(engine.run(8, TILE), upscale(TILE, 8))
    assert engine.predict(TILE).bit_width == 4
    report = engine.report()
    assert (report.name, report.accelerator_asked, report.accelerator_used, report.costs) == (
        "slow", "CPU", "sofa", None,
    )  # fmt: skip
    engine.close()
    assert slow.closed


def seconds_of(costs: Costs | None) -> dict[int, float]:
    assert costs is not None
    return {width: costs.seconds[width] for width in LADDER}


@pytest.mark.usefixtures("cache")
def test_costs_are_measured_once_for_all_engines_of_a_device(
    bundle: Bundle, slow: SlowEngine
) -> None:
    engine = TimedEngine(slow)
    assert seconds_of(engine.find_costs(bundle, is_needed=False)) == LADDER
    runs = slow.runs
    assert seconds_of(engine.find_costs(bundle, is_needed=True)) == LADDER
    slower = SlowEngine({width: 2 * seconds for width, seconds in LADDER.items()})
    again = TimedEngine(slower)
    assert seconds_of(again.find_costs(bundle, is_needed=False)) == LADDER
    assert (slow.runs, slower.runs) == (runs, 0)
    assert again.report().are_kept
    assert again.report().notes == ()


def test_what_cannot_be_kept_decides_nothing_unless_time_is_asked_for(
    bundle: Bundle, slow: SlowEngine
) -> None:
    engine = TimedEngine(slow)
    assert engine.find_costs(bundle, is_needed=False) is None
    assert slow.runs == 0
    assert seconds_of(engine.find_costs(bundle, is_needed=True)) == LADDER
    assert engine.find_costs(bundle, is_needed=False) is None
    (note,) = engine.report().notes
    assert note.startswith("what a tile costs could not be kept")


class Broken(SlowEngine):
    """Cannot run 5 bits."""

    def run(self, bit_width: int, tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if bit_width == 5:
            raise EngineError("no five")
        return super().run(bit_width, tile)


@pytest.mark.usefixtures("cache")
def test_what_cannot_be_measured_is_an_error_only_if_time_is_asked_for(bundle: Bundle) -> None:
    slow = Broken(LADDER)
    engine = TimedEngine(slow)
    assert engine.find_costs(bundle, is_needed=False) is None
    runs = slow.runs
    assert engine.find_costs(bundle, is_needed=False) is None
    assert slow.runs == runs
    with pytest.raises(EngineError, match="no five"):
        engine.find_costs(bundle, is_needed=True)
    assert not list(costs_folder().iterdir())


def report(seconds: dict[int, float] | None, used: str = "CPU") -> EngineReport:
    costs = None if seconds is None else Costs({0: 1e-4, **seconds}, 1e-3)
    return EngineReport("abacus", "CPU", used, costs, are_kept=True)


def test_says_if_fewer_bits_save_nothing() -> None:
    (note,) = report({4: 0.071, 8: 0.073}).notes
    assert note == (
        "engine 'abacus' runs all bit-widths at one speed here (a tile takes 71 ms at 4, 73 ms at 8"
        " bits): fewer bits save no time, so tiles get 8 unless you bound bits"
    )


def test_says_which_widths_are_exchanged() -> None:
    (note,) = report({4: 0.0053, 5: 0.0059, 6: 0.0063, 8: 0.006}).notes
    assert note == (
        "tiles take 5.3 ms at 4, 5.9 ms at 5, 6.3 ms at 6, 6 ms at 8 bits here: where a wider "
        "width is as fast, it is used instead (8 for 5, 8 for 6)"
    )


@pytest.mark.parametrize("seconds", [None, {8: 0.07}, {4: 1.0, 8: 1.1}])
def test_is_silent_if_bits_buy_time_or_nothing_is_known(seconds: dict[int, float] | None) -> None:
    assert report(seconds).notes == ()


def test_says_if_the_accelerator_is_another() -> None:
    (note,) = report(None, used="plain kernels").notes
    assert note == "engine 'abacus' was asked to run on CPU and runs on plain kernels"


def test_details_of_the_accelerator_are_no_surprise() -> None:
    assert report(None, used="CPU, abacus of ten beads").notes == ()


def test_says_why_it_is_not_the_fastest_engine() -> None:
    assert TimedEngine(SlowEngine({}), "it is night").report().notes[0] == "it is night"
