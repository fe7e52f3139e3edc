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


def battery(seconds: float, level: int | None, charge: int | None) -> Heat:
    return heat(seconds=seconds, is_charging=False, level=level, charge=charge)


def test_speed_minute_by_minute() -> None:
    readings = [heat(seconds=0), heat(seconds=60), heat(seconds=120)]
    curve = draw_curve("big", rounds(*[1.0] * 60, *[2.0] * 30), readings, PICTURE)
    assert [minute.megapixels_per_second for minute in curve.minutes] == pytest.approx([2, 1])
    assert [minute.heat.seconds for minute in curve.minutes] == [60, 120]
    assert curve.last_over_first == pytest.approx(0.5)
    assert curve.no_energy == "no energy: the battery is charged over the cable"


def test_energy_of_a_battery_that_falls() -> None:
    readings = [battery(0, 80, 3_000_000), battery(60, 78, 2_990_000)]
    # The third ends after the last reading.
    curve = draw_curve("big", rounds(1.0, 1.0, 54.0), readings, PICTURE)
    assert curve.megapixels_per_percent == pytest.approx(4 / 2)
    # 10 mAh at 4 V are 144 J, for 4 megapixels
    assert curve.joules_per_megapixel == pytest.approx(36)
    assert curve.no_energy is None


@pytest.mark.parametrize("last", [battery(60, 80, 3_000_000), battery(60, None, None)])
def test_energy_that_is_not_told(last: Heat) -> None:
    curve = draw_curve("big", rounds(1.0), [battery(0, 80, 3_000_000), last], PICTURE)
    assert (curve.megapixels_per_percent, curve.joules_per_megapixel) == (None, None)
    assert "did not fall, or is not told" in str(curve.no_energy)


def test_energy_takes_two_readings() -> None:
    curve = draw_curve("big", rounds(1.0), [battery(0, 80, 3_000_000)], PICTURE)
    assert curve.no_energy == "no energy: it takes more than a minute to tell it"


def test_energy_of_power_rails_is_told_over_a_cable_too() -> None:
    readings = [
        heat(seconds=0, rails={"CPU": 5_000_000, "GPU": 7}),
        heat(seconds=60, rails={"CPU": 9_000_000, "GPU": 7, "TPU": 3}),
    ]
    curve = draw_curve("big", rounds(1.0), readings, PICTURE)
    assert curve.rail_joules_per_megapixel == {"CPU": pytest.approx(2)}
