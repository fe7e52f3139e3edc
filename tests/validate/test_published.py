from __future__ import annotations

import pytest

from gdq_validate.published import find_published


def test_a_network_is_shown_beside_interpolation() -> None:
    rows = find_published("Urban100", "edsr", 2)
    assert [row.method for row in rows] == [
        "bicubic",
        "EDSR-baseline, float",
        "EDSR, float",
        "EDSR, PAMS",
        "EDSR, CADyQ",
        "EDSR, CABM",
        "EDSR, Granular-DQ",
    ]
    assert (rows[-1].fab, rows[-1].psnr_y, rows[-1].ssim_y) == (4.60, 32.01, 0.928)
    assert rows[0].fab is None


@pytest.mark.parametrize(("name", "methods"), [("bsd100", 2), ("SET5", 2), ("photos", 0)])
def test_sets_are_known_by_their_names(name: str, methods: int) -> None:
    assert len(find_published(name, "edsr", 4)) == methods


def test_every_row_is_plausible() -> None:
    """A better PSNR goes with a better SSIM where both are of one table."""
    for data in ("Set5", "Set14", "B100", "Urban100"):
        for scale in (2, 3, 4):
            bicubic, edsr = find_published(data, "edsr", scale)[:2]
            assert bicubic.psnr_y < edsr.psnr_y
            assert bicubic.ssim_y < edsr.ssim_y < 1
