from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdq_bench.measure.clock import Times, add_up, interleave, ratio

ROUNDS = st.lists(st.tuples(*[st.floats(min_value=1e-6, max_value=1e3)] * 2), min_size=1)


def test_functions_run_in_turn_and_the_first_round_does_not_count() -> None:
    calls: list[str] = []
    times = interleave({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=2)
    assert calls == ["a", "b"] * 3
    assert [len(measured.wall) for measured in times.values()] == [2, 2]


def test_the_first_answers_and_every_round_are_told() -> None:
    answers: list[tuple[str, int]] = []
    done: list[tuple[int, int]] = []
    numbers = iter(range(10))
    interleave(
        {"a": lambda: next(numbers), "b": lambda: next(numbers)},
        rounds=2,
        warm_up=lambda name, answer: answers.append((name, answer)),
        progress=lambda *numbers: done.append(numbers),
    )
    assert answers == [("a", 0), ("b", 1)]
    assert done == [(1, 3), (2, 3), (3, 3)]


def test_waiting_takes_wall_time_but_no_processor_time() -> None:
    times = interleave({"sleep": lambda: time.sleep(0.05)}, rounds=1)["sleep"]
    assert times.wall[0] >= 0.05
    assert times.cpu[0] < 0.04


def test_work_takes_processor_time() -> None:
    times = interleave({"work": lambda: sum(range(10**6))}, rounds=3)["work"]
    assert min(times.cpu) > 0


def test_ratio_is_of_the_rounds_themselves() -> None:
    spread = ratio(Times(wall=[2, 30, 8]), Times(wall=[1, 10, 2]))
    assert (spread.median, spread.smallest, spread.rounds) == (3, 2, 3)
    assert ratio(Times(cpu=[2, 30, 8]), Times(cpu=[1, 10, 2]), "cpu").median == 3


@given(ROUNDS)
def test_a_ratio_to_itself_is_one(rounds: list[tuple[float, float]]) -> None:
    times = Times(*map(list, zip(*rounds, strict=True)))
    spread = ratio(times, times)
    assert (spread.lower, spread.median, spread.upper) == (1, 1, 1)


@given(ROUNDS, st.floats(min_value=0.5, max_value=2))
def test_a_machine_that_slows_down_does_not_change_a_ratio(
    rounds: list[tuple[float, float]], factor: float
) -> None:
    ours = Times(wall=[seconds * slowdown for seconds, slowdown in rounds])
    theirs = Times(wall=[factor * seconds * slowdown for seconds, slowdown in rounds])
    assert ratio(theirs, ours).median == pytest.approx(factor)


def test_pictures_are_added_up_round_by_round() -> None:
    first, second = Times(wall=[1, 2], cpu=[3, 4]), Times(wall=[10, 20], cpu=[30, 40])
    assert add_up([first, second]) == Times(wall=[11, 22], cpu=[33, 44])
    assert add_up([first]) == first
