from __future__ import annotations

import os

import pytest

from bench.made_up import engine_facts, picture, tile
from gdq_bench.report.verdict import find_warnings


def test_quiet_and_right_is_not_worth_a_word() -> None:
    pictures = [picture(), picture(workers=2, wall=0.52)]
    assert find_warnings([engine_facts()], [tile(4), tile(8)], pictures) == []


def test_waiting_for_a_processor_is_told() -> None:
    (warning,) = find_warnings([], [tile()], [picture(wall=1.25)])
    assert "busy with other work" in warning
    assert "differ by 20%" in warning


def test_scattered_rounds_are_told() -> None:
    tiles = [tile(8), tile(4, scatter=0.2), tile(32, scatter=0.3)]
    (warning,) = find_warnings([], tiles, [picture()])
    assert warning == (
        "times scatter in 2 of 4 rows: most of all tiles on onnxruntime, float, "
        "where the quartiles lie 30% apart"
    )


def test_idle_workers_are_told() -> None:
    (warning,) = find_warnings([], [tile()], [picture(), picture(workers=2, wall=0.8)])
    assert warning.startswith("2 workers on onnxruntime had only 62% of as many processors")


def test_wrong_answers_are_told() -> None:
    (warning,) = find_warnings([engine_facts(beyond_one=0.0476)], [tile()], [picture()])
    assert "does not compute what the bundle promises" in warning
    assert "4.76%" in warning


def test_without_times_only_the_engine_is_told() -> None:
    (warning,) = find_warnings([engine_facts(beyond_one=0.5)], [], [])
    assert warning.startswith("onnxruntime was not timed")


def test_another_accelerator_is_told() -> None:
    (warning,) = find_warnings([engine_facts(used="plain kernels")], [tile()], [picture()])
    assert warning == "onnxruntime was asked to run on CPU and runs on plain kernels"


def test_of_a_phone_it_does_not_matter_what_this_computer_can(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(os, "sched_setaffinity")
    assert find_warnings([engine_facts()], [tile()], [picture()]) == []
