from __future__ import annotations

from typing import Any

import pytest

from gdq_runtime.bundle.manifest import OperatingPoint
from gdq_runtime.routing.budget import Bound, Budget
from vectors.write import load

VECTORS = load("budget")
POINTS = [OperatingPoint.model_validate(point) for point in VECTORS["points"]]


@pytest.mark.parametrize("case", VECTORS["pictures"])
def test_spends_as_much(case: dict[str, Any]) -> None:
    budget = Budget(POINTS[: case["best"] + 1], Bound.of_bits(case["fab"]))
    assert [budget.spend(bins) for bins in case["bands"]] == case["bit_widths"]


@pytest.mark.parametrize("case", VECTORS["timed_pictures"])
def test_spends_as_much_time(case: dict[str, Any]) -> None:
    prices = {int(route): seconds for route, seconds in case["prices"].items()}
    budget = Budget(POINTS[: case["best"] + 1], Bound(case["largest"], prices))
    assert [budget.spend(bins) for bins in case["bands"]] == case["bit_widths"]
