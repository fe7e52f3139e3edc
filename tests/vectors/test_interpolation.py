from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gdq_core.interpolation import interpolate
from vectors.write import load


@pytest.mark.parametrize("case", load("interpolation")["tiles"])
def test_interpolates_exactly(case: dict[str, Any]) -> None:
    tile = np.array(case["tile"], dtype=np.uint8)
    assert interpolate(tile, case["scale"]).tolist() == case["result"]
