from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from gdq_core.errors import RequestError
from gdq_runtime.routing.request import Request


@pytest.mark.parametrize(
    "choices",
    [
        {"bits": 8, "fab": 4.5},
        {"fab": 4.5, "max_loss": 0.1},
        {"bits": 4, "max_loss": 0.1},
        {"bits": 4, "speed": 1.5},
        {"speed": 1.5, "max_seconds": 2},
        {"max_seconds": 2, "max_loss": 0.1},
    ],
)
def test_contradictions_are_refused(choices: dict[str, Any]) -> None:
    with pytest.raises(RequestError, match="give only one of bits, fab, max-loss, speed and"):
        Request(**choices)


@pytest.mark.parametrize("bits", ["4", 3, 32, 0, 4.0, True, None, [4], (4, 8), np.array([4, 8])])
def test_other_bits_are_refused(bits: Any) -> None:
    with pytest.raises(RequestError, match="bits must be 'auto', 4, 5, 6 or 8, not "):
        Request(bits)


@pytest.mark.parametrize("choices", [{"speed": 1.5}, {"max_seconds": 2}])
def test_time_needs_tiles_of_one_size(choices: dict[str, Any]) -> None:
    assert Request(**choices).asks_for_time
    with pytest.raises(RequestError, match="need tiles of one size: leave policy 'paper' out"):
        Request(**choices, policy="paper")


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        ({"bits": 5}, "fab-cap bounds what the predictor chooses: leave bits out"),
        ({"speed": 2}, "fab-cap bounds bits, speed and max-seconds time: give one of them"),
        ({"max_seconds": 2}, "fab-cap bounds bits, speed and max-seconds time"),
        ({"fab": 5.5}, r"fab 5\.5 is above fab-cap 5"),
    ],
)
def test_a_cap_bounds_bits_that_are_chosen(choices: dict[str, Any], sentence: str) -> None:
    assert Request(fab_cap=5).fab_cap == 5
    with pytest.raises(RequestError, match=sentence):
        Request(fab_cap=5, **choices)


def test_nothing_else_asks_for_time() -> None:
    for request in (Request(), Request(8), Request(fab=5), Request(max_loss=1, policy="paper")):
        assert not request.asks_for_time


def test_a_speed_is_at_least_one() -> None:
    assert Request(speed=1).speed == 1
    with pytest.raises(RequestError, match=r"speed must be a number of at least 1, not 0\.9"):
        Request(speed=0.9)


@pytest.mark.parametrize("name", ["fab", "max_loss", "max_seconds"])
@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf"), "4.5", True, [4], np.ones(2)])
def test_what_is_no_amount_is_refused(name: str, value: Any) -> None:
    sentence = f"{name.replace('_', '-')} must be a number of at least 0, not "
    with pytest.raises(RequestError, match=sentence):
        Request(**{name: value})


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("flat_tiles", "flat-tiles must be 'interpolate' or 'network', not 'maybe'"),
        ("policy", "policy must be 'uniform' or 'paper', not 'maybe'"),
    ],
)
def test_other_choices_are_refused(name: str, sentence: str) -> None:
    choices: dict[str, Any] = {name: "maybe"}
    with pytest.raises(RequestError, match=sentence):
        Request(**choices)


@pytest.mark.parametrize("fab", [0, 4, 4.5, np.float32(4.5), np.int64(5), Fraction(9, 2)])
def test_numbers_of_any_type_are_numbers(fab: Any) -> None:
    assert Request(fab=fab).fab == fab
    assert Request(np.int64(4)).bits == 4  # type: ignore[arg-type]
