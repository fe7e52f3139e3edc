from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gdq_validate.agreement import Agreement, count_differences

PICTURES = arrays.arrays(np.uint8, (3, 4, 3))


def agreement(differences: dict[int, int], same: int = 2) -> Agreement:
    return Agreement(
        engine="a",
        accelerator="CPU",
        reference="golden tiles",
        differences=differences,
        tiles=2,
        same_bit_width=same,
    )


@given(st.lists(st.tuples(PICTURES, PICTURES), min_size=1, max_size=3))
def test_differences_are_counted(pairs: list[tuple[np.ndarray, np.ndarray]]) -> None:
    counted = count_differences(pairs)
    apart = [int(value) for a, b in pairs for value in np.abs(a.astype(int) - b).flat]
    assert counted == {value: apart.count(value) for value in sorted(set(apart))}


@pytest.mark.parametrize(
    ("differences", "same", "holds"),
    [
        ({0: 999, 1: 9000, 2: 1}, 2, True),
        ({0: 9990, 200: 10}, 2, True),
        ({0: 9989, 2: 11}, 2, False),
        ({0: 10_000}, 1, False),
    ],
)
def test_the_contract(differences: dict[int, int], same: int, holds: bool) -> None:
    result = agreement(differences, same)
    assert result.holds == holds
    assert result.largest == max(differences)
    assert result.equal == differences[0] / result.samples


def test_an_engine_that_rounds_less_is_held_to_the_decisions_alone() -> None:
    far = agreement({0: 1, 9: 1}).model_copy(update={"engine": "gdq"})
    assert far.holds
    assert not far.model_copy(update={"same_bit_width": 1}).holds
