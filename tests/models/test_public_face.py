from __future__ import annotations

import inspect

import gdq_models


def test_everything_announced_exists_and_is_documented() -> None:
    assert len(set(gdq_models.__all__)) == len(gdq_models.__all__)
    for name in gdq_models.__all__:
        member = getattr(gdq_models, name)
        if inspect.isclass(member) or inspect.isfunction(member):
            assert inspect.getdoc(member), name


def test_bit_widths_are_those_of_the_paper() -> None:
    assert gdq_models.BIT_WIDTHS == (4, 5, 6, 8)
