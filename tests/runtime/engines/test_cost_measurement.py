from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from gdq_core.bit_widths import INTERPOLATED
from gdq_runtime.engines.cost_measurement import measure_costs
from runtime.engines.slow_engine import SlowEngine


def test_measures_every_width_and_the_predictor() -> None:
    engine = SlowEngine({4: 1.0, 6: 3.0, 8: 2.0})
    costs = measure_costs(engine, (4, 6, 8), 16, 2, engine.clock)
    assert {width: costs.seconds[width] for width in (4, 6, 8)} == {4: 1.0, 6: 3.0, 8: 2.0}
    assert costs.seconds[INTERPOLATED] == 1e-9  # it needs no engine, whose clock stands still
    assert costs.predict == 0.25
    assert engine.runs == 3 * 6


def test_heads_are_asked_for_a_band_in_a_row() -> None:
    engine = SlowEngine({4: 1.0, 8: 2.0})
    asked: list[float] = []

    def sense(_: NDArray[np.uint8]) -> None:
        # The first of a row has to fetch its tables.
        engine.now += 0.5 if not asked or asked[-1] != engine.runs else 0.25
        asked.append(engine.runs)

    costs = measure_costs(engine, (4, 8), 16, 2, engine.clock, sense=sense)
    assert len(asked) == 8 * 6
    assert costs.predict == round((0.5 + 7 * 0.25) / 8, 3)
    assert costs.seconds[4] == 1.0


class Disturbed(SlowEngine):
    """Is left alone in one round only, beside the first one, in which it does nothing."""

    def run(self, bit_width: int, tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
        number = self.runs // 3
        if number == 0:
            self.now -= self.seconds[bit_width]
        elif number != 4:
            self.now += 100
        return super().run(bit_width, tile)


def test_neither_the_first_round_nor_disturbed_ones_count() -> None:
    engine = Disturbed({4: 1.00049, 6: 3.0, 8: 2.0})
    costs = measure_costs(engine, (4, 6, 8), 16, 2, engine.clock)
    assert {width: costs.seconds[width] for width in (4, 6, 8)} == {4: 1.0, 6: 3.0, 8: 2.0}


class Worker(SlowEngine):
    """Works for real: eight bits are eight times as much."""

    def run(self, bit_width: int, tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
        end = time.thread_time() + 2e-4 * bit_width
        while time.thread_time() < end:
            pass
        return super().run(bit_width, tile)


def test_the_clock_is_the_threads_processor_time() -> None:
    costs = measure_costs(Worker({4: 0, 8: 0}), (4, 8), 16, 2)
    assert 0 < costs.seconds[4] < costs.seconds[8]
