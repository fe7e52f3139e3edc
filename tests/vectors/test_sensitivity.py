from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import pytest

from gdq_core.sensitivity.heads import Sensitivity
from gdq_core.sensitivity.picture_error import picture_level
from gdq_core.sensitivity.rule import SensitivityRule
from gdq_core.sensitivity.statistics import tile_statistics
from gdq_runtime.bundle.manifest import SensitivityHeads
from gdq_runtime.routing.price_control import PriceControl
from gdq_runtime.routing.sensed_picture import BANDS_AHEAD, SensedPicture
from runtime.engine_library import need_library
from vectors.write import load

VECTORS = load("sensitivity")
RULE: SensitivityRule = SensitivityHeads.model_validate(VECTORS["rule"][0]).rule()


@pytest.mark.parametrize("case", VECTORS["tiles"])
def test_tiles_have_these_heads(case: dict[str, Any]) -> None:
    tile = np.array(case["tile"], np.uint8)
    assert tile_statistics(tile, RULE.heads.side).tolist() == case["statistics"]
    assert list(RULE.sense(tile)) == case["heads"]


@pytest.mark.parametrize("case", VECTORS["tiles"])
def test_the_library_agrees(case: dict[str, Any]) -> None:
    tile = np.array(case["tile"], np.uint8)
    found = need_library().tile_statistics(tile, RULE.heads.side)
    assert found.tolist() == case["statistics"]


@pytest.mark.parametrize("case", VECTORS["levels"])
def test_pictures_have_these_levels(case: dict[str, Any]) -> None:
    assert picture_level(case["errors"]) == case["level"]


@pytest.mark.parametrize("case", VECTORS["pictures"])
def test_pictures_are_routed_so(case: dict[str, Any]) -> None:
    control = PriceControl(RULE, RULE.price, fab=case["fab"])
    picture = SensedPicture(RULE, control, cap=case["cap"])
    waiting: deque[list[Sensitivity]] = deque()
    routes = []
    for band in [*case["bands"], *[None] * BANDS_AHEAD]:
        if band is not None:
            waiting.append([Sensitivity(*tile) for tile in band])
            picture.read(waiting[-1])
        if band is None or len(waiting) > BANDS_AHEAD:
            routes.append(picture.decide(waiting.popleft()))
    assert routes == case["bit_widths"]
    assert control.price == case["price"]
