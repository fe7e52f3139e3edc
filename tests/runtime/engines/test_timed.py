from __future__ import annotations

import time

import numpy as np
import pytest
from numpy.typing import NDArray

from gdq_runtime.engines.base import Prediction
from gdq_runtime.engines.timed import EngineReport, TimedEngine

TILE = np.zeros((4, 4, 3), np.uint8)


class Sleeper:
    """An engine that takes as many milliseconds as there are bits."""

    name = "sleeper"
    accelerator_asked = "bed"
    accelerator_used = "sofa"
    closed = False

    def predict(self, tile: NDArray[np.uint8]) -> Prediction:
        return Prediction(np.zeros(3, np.float32), 1.0, 4)

    def run(self, bit_width: int, tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
        time.sleep(bit_width / 1000)
        return tile + np.uint8(bit_width)

    def close(self) -> None:
        self.closed = True


def test_answers_as_the_engine_does_and_measures() -> None:
    sleeper = Sleeper()
    engine = TimedEngine(sleeper)
    start = time.perf_counter()
    for bit_width in (8, 4, 8, 4, 8, 4, 6):
        np.testing.assert_array_equal(engine.run(bit_width, TILE), TILE + bit_width)
    assert engine.predict(TILE).bit_width == 4
    report = engine.report()
    assert (report.name, report.accelerator_asked, report.accelerator_used) == (
        "sleeper",
        "bed",
        "sofa",
    )
    assert list(report.seconds_per_tile) == [4, 8]  # one tile at 6 bits says nothing
    elapsed = time.perf_counter() - start
    assert all(width / 1000 <= report.seconds_per_tile[width] < elapsed for width in (4, 8))
    engine.close()
    assert sleeper.closed


def report(seconds: dict[int, float], used: str = "CPU") -> EngineReport:
    return EngineReport("abacus", "CPU", used, seconds)


def test_says_if_fewer_bits_save_nothing() -> None:
    (note,) = report({4: 0.071, 8: 0.073}).notes
    assert note == (
        "engine 'abacus' runs all bit-widths at one speed here (a tile takes 71 ms at 4, 73 ms at 8"
        " bits): fewer bits save no time"
    )


@pytest.mark.parametrize("seconds", [{4: 1.0, 8: 1.15}, {4: 1.15, 8: 1.0}, {4: 0.001, 8: 0.001}])
def test_up_to_fifteen_percent_from_a_millisecond_on_is_one_speed(
    seconds: dict[int, float],
) -> None:
    assert len(report(seconds).notes) == 1


@pytest.mark.parametrize(("tiles", "is_known"), [(1, False), (2, False), (3, True), (4, True)])
def test_a_width_needs_three_tiles(tiles: int, is_known: bool) -> None:
    engine = TimedEngine(Sleeper())
    for _ in range(tiles):
        engine.run(4, TILE)
    assert (4 in engine.report().seconds_per_tile) == is_known


@pytest.mark.parametrize(
    "seconds",
    [{}, {8: 0.07}, {4: 1.0, 8: 1.1501}, {4: 0.000999, 8: 0.001}],
    ids=["nothing ran", "one width", "two speeds", "too short to tell"],
)
def test_is_silent_if_bits_buy_time_or_nothing_is_known(seconds: dict[int, float]) -> None:
    assert report(seconds).notes == ()


def test_says_if_the_accelerator_is_another() -> None:
    (note,) = report({}, used="plain kernels").notes
    assert note == "engine 'abacus' was asked to run on CPU and runs on plain kernels"


def test_details_of_the_accelerator_are_no_surprise() -> None:
    assert report({}, used="CPU, abacus of ten beads").notes == ()


def test_says_why_it_is_not_the_fastest_engine() -> None:
    assert TimedEngine(Sleeper(), "it is night").report().notes[0] == "it is night"
