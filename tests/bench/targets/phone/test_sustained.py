from __future__ import annotations

import pytest

from bench.made_up import heat
from bench.targets.phone.printed import round_line
from gdq_bench.native.lines import RoundLine
from gdq_bench.protocol import Heat, PictureSize
from gdq_bench.targets.phone.sustained import draw_curve

PICTURE = PictureSize(name="a", width=2000, height=1000)
SECOND = 1_000_000_000


def rounds(*walls: float) -> list[RoundLine]:
    """One after the other, seconds each."""
    lines: list[RoundLine] = []
    at = 5.0
    for number, wall in enumerate(walls):
        lines.append(
            round_line(number, workers=2, at_ns=int(at * SECOND), wall_ns=int(wall * SECOND))
        )
        at += wall
    return lines


def battery(level: int | None, charge: int | None) -> Heat:
    return heat(is_charging=False, level=level, charge=charge)


def test_speed_minute_by_minute() -> None:
    readings = [heat(seconds=0), heat(seconds=60), heat(seconds=120)]
    curve = draw_curve("big", rounds(*[1.0] * 60, *[2.0] * 30), readings, PICTURE)
    assert [minute.megapixels_per_second for minute in curve.minutes] == pytest.approx([2, 1])
    assert [minute.heat.seconds for minute in curve.minutes] == [60, 120]
    assert curve.last_over_first == pytest.approx(0.5)
    assert curve.no_energy == "no energy: the battery is charged over the cable"


def test_energy_of_a_battery_that_falls() -> None:
    readings = [battery(80, 3_000_000), battery(78, 2_990_000)]
    curve = draw_curve("big", rounds(1.0, 1.0), readings, PICTURE)
    assert curve.megapixels_per_percent == pytest.approx(4 / 2)
    # 10 mAh at 4 V are 144 J, for 4 megapixels
    assert curve.joules_per_megapixel == pytest.approx(36)
    assert curve.no_energy is None


@pytest.mark.parametrize("last", [battery(80, 3_000_000), battery(None, None)])
def test_energy_that_is_not_told(last: Heat) -> None:
    curve = draw_curve("big", rounds(1.0), [battery(80, 3_000_000), last], PICTURE)
    assert (curve.megapixels_per_percent, curve.joules_per_megapixel) == (None, None)
    assert "did not fall, or is not told" in str(curve.no_energy)
