from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gdq_runtime.bundle.manifest import AgreementBound
from gdq_validate.agreement import ACROSS_ROUNDINGS, Agreement, count_differences

PICTURES = arrays.arrays(np.uint8, (3, 4, 3))


def agreement(differences: dict[int, int], same: int = 2) -> Agreement:
    return Agreement(
        engine="a",
        accelerator="CPU",
        reference="golden tiles",
        differences=differences,
        bounds=(AgreementBound(levels=1, share=1e-3),),
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


@pytest.mark.parametrize(
    ("differences", "holds"),
    [
        ({0: 500, 1: 300, 4: 198, 9: 2}, True),
        ({0: 500, 1: 299, 2: 201}, False),
        ({0: 997, 5: 3}, False),
        ({255: 1000}, False),
    ],
)
def test_formats_that_round_differently_are_held_to_bounds_too(
    differences: dict[int, int], holds: bool
) -> None:
    """All samples 255 apart once held for our own engine."""
    across = agreement(differences).model_copy(update={"bounds": ACROSS_ROUNDINGS})
    assert across.holds == holds
