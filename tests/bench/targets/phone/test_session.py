from __future__ import annotations

import pytest

from gdq_bench.targets.phone.session import is_hot
from gdq_devices.adb.heat import Heat

HOT_ZONE = {"BIG": 55.0, "battery": 30.0}


@pytest.mark.parametrize(
    ("heat", "cool", "answer"),
    [
        (Heat(zones=HOT_ZONE, status=0), None, None),
        (Heat(zones=HOT_ZONE, status=2), None, "thermal status is 2"),
        (Heat(zones=HOT_ZONE), None, "it is 55 °C hot"),
        (Heat(zones=HOT_ZONE, status=0), 37, "it is 55 °C hot"),
        (Heat(zones={"BIG": 36.9}, status=0), 37, None),
        (Heat(battery_temperature=41.0), None, "it is 41 °C hot"),
        (Heat(battery_temperature=36.0, status=0), 37, None),
        (Heat(), 37, None),
    ],
)
def test_what_is_hot(heat: Heat, cool: float | None, answer: str | None) -> None:
    assert is_hot(heat, cool) == answer
