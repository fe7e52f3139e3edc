from __future__ import annotations

import pytest

from gdq_validate.agreement import ACROSS_ROUNDINGS, Agreement
from gdq_validate.text import describe_failure, render_agreements


def agreement(differences: dict[int, int], same: int = 4) -> Agreement:
    return Agreement(
        engine="gdq",
        accelerator="CPU",
        reference="golden tiles",
        differences=differences,
        bounds=ACROSS_ROUNDINGS,
        tiles=4,
        same_bit_width=same,
    )


@pytest.mark.parametrize(
    ("differences", "same", "reasons"),
    [
        (
            {0: 500, 2: 500},
            4,
            "50.000% of the samples differ by more than 1 (20.000% are allowed)",
        ),
        ({0: 990, 9: 10}, 4, "1.000% of the samples differ by more than 4 (0.200% are allowed)"),
        ({0: 1000}, 3, "only 3 of 4 bit-widths are equal"),
        (
            {9: 1000},
            3,
            "100.000% of the samples differ by more than 1 (20.000% are allowed); "
            "only 3 of 4 bit-widths are equal",
        ),
    ],
)
def test_a_failure_names_what_is_broken(
    differences: dict[int, int], same: int, reasons: str
) -> None:
    found = describe_failure(agreement(differences, same))
    assert found == f"missed: gdq against golden tiles: {reasons}"


def test_only_an_engine_that_fails_is_marked() -> None:
    good, bad = agreement({0: 900, 1: 100}), agreement({0: 100, 9: 900})
    _, *rows = render_agreements([good, bad]).splitlines()
    assert [row.split() for row in rows[:2]] == [
        ["gdq", "golden", "tiles", "90.000%", "10.000%", "0.0000%", "1", "4", "of", "4"],
        ["gdq", "golden", "tiles", "10.000%", "0.000%", "90.0000%", "9", "4", "of", "4", "BROKEN"],
    ]
