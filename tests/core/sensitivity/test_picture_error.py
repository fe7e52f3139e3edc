from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdq_core.sensitivity.picture_error import PictureError, picture_level

ERRORS = st.lists(st.integers(-200, 500), min_size=1, max_size=60)


@given(errors=ERRORS)
def test_is_the_logarithm_of_the_mean(errors: list[int]) -> None:
    mean = sum(2 ** (error / 32) for error in errors) / len(errors)
    assert picture_level(errors) == pytest.approx(32 * math.log2(mean), abs=1.2)


@given(errors=ERRORS)
def test_the_order_of_tiles_does_not_matter(errors: list[int]) -> None:
    assert picture_level(errors) == picture_level(sorted(errors))


@given(error=st.integers(-250, 600))
def test_one_tile_is_its_own_picture(error: int) -> None:
    assert picture_level([error]) == error


def test_tiles_come_as_they_are_read() -> None:
    picture = PictureError()
    picture.add([10, 20])
    before = picture.level
    picture.add([300])
    assert picture.level > before
    assert picture.level == picture_level([10, 20, 300])


def test_absurd_errors_are_bounded() -> None:
    """More than 8-bit pictures can have, and less: other languages have 64 bits."""
    assert picture_level([10**9]) == 640
    assert picture_level([-(10**9)]) == -256
