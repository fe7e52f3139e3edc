from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.costs import Costs
from gdq_runtime.routing.dial import Crew
from gdq_runtime.routing.request import Request
from gdq_runtime.routing.router import Router
from gdq_runtime.routing.spending import Spending, add_up
from runtime.tiny_bundle import add_dial, write_tiny_bundle

COSTS = Costs({0: 0.5, 4: 4.0, 5: 5.0, 6: 6.0, 8: 8.0}, 1.0)
BIT_MAP = np.array([[4, 8, 0, 8]], dtype=np.uint8)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    folder = write_tiny_bundle(tmp_path / "bundle")
    add_dial(folder)
    return Bundle.open(folder)


def spend(bundle: Bundle, request: Request, costs: Costs | None = COSTS) -> Spending | None:
    return add_up(costs, Router.create(bundle, request, costs), BIT_MAP, Crew(18, 2))


def test_nothing_is_known_without_costs(bundle: Bundle) -> None:
    assert spend(bundle, Request(), None) is None


def test_the_predictor_cannot_be_foreseen(bundle: Bundle) -> None:
    assert spend(bundle, Request()) == Spending(23.5 / 4, 32 / 23.5, None)


def test_one_width_needs_no_predictor(bundle: Bundle) -> None:
    assert spend(bundle, Request(8)) == Spending(20.5 / 4, 32 / 20.5, 18 * 8 / 2 / 0.9)


def test_a_dial_expects_what_was_calibrated(bundle: Bundle) -> None:
    seen = spend(bundle, Request(max_loss=0.2))
    assert seen is not None
    # A fifth of the calibration's tiles was flat; the others are half and half.
    assert seen.expected_seconds == pytest.approx(18 * (0.2 * 0.5 + 0.8 * 7) / 2 / 0.9)
    assert seen.tile_seconds == 23.5 / 4
