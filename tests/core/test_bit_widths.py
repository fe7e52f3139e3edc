from __future__ import annotations

from gdq_core.bit_widths import BIT_WIDTHS, FLOAT, INTERPOLATED, name_of_width


def test_the_stand_ins_are_no_widths() -> None:
    assert BIT_WIDTHS == (4, 5, 6, 8)
    assert not {FLOAT, INTERPOLATED} & set(BIT_WIDTHS)


def test_each_has_a_name() -> None:
    named = [name_of_width(width) for width in (INTERPOLATED, *BIT_WIDTHS, FLOAT)]
    assert named == ["interpolated", "4 bits", "5 bits", "6 bits", "8 bits", "float"]
