from __future__ import annotations

import pytest

from gdq_devices.adb.heat import Heat, read_heat

ANSWER = """\
zone BIG 41500
zone BIG 43000
zone battery 29400
zone quiet_therm -40000
zone soc cat: /sys/class/thermal/thermal_zone9/temp: Permission denied
frequency 0 1803000
frequency 4 cat: /sys/devices/system/cpu/cpufreq/policy4/scaling_max_freq: Permission denied
meter t=473848
CH0(T=473848)[S2M_VDD_CPUCL2], 25648071
CH1(T=473848)[S3M_VDD_CPUCL1], 8104522
meter cat: '/sys/bus/iio/devices/iio:device1/energy_value': Permission denied
== thermalservice
IsStatusOverride: false
Thermal Status: 2
Cached temperatures:
	Temperature{mValue=99.0, mType=3, mName=skin, mStatus=2}
HAL Ready: true
Current temperatures from HAL:
	Temperature{mValue=84.0, mType=0, mName=BIG, mStatus=0}
	Temperature{mValue=42.5, mType=3, mName=skin, mStatus=2}
Current cooling devices from HAL:
Temperature static thresholds from HAL:
	TemperatureThreshold{mType=3, mName=skin, mHotThrottlingThresholds=[NaN, 38.0, 41.0, 45.0, 50.0, 55.0, 60.0], mVrThrottlingThreshold=NaN}
== battery
Current Battery Service state:
  Charge counter: 3720000
  status: 3
  level: 87
  voltage: 4212
  temperature: 294
== power
POWER MANAGER (dumpsys power)
  mWakefulness=Asleep
"""  # noqa: E501


def test_everything_that_is_told() -> None:
    heat = read_heat(ANSWER)
    assert heat.zones == {"BIG": 43.0, "battery": 29.4}
    assert heat.max_frequency == {0: 1803000}
    assert (heat.status, heat.battery_level, heat.battery_temperature) == (2, 87, 29.4)
    assert heat.rails == {"S2M_VDD_CPUCL2": 25648071, "S3M_VDD_CPUCL1": 8104522}
    assert (heat.charge, heat.voltage) == (3720000, 4212)
    assert (heat.is_charging, heat.is_awake) == (False, False)
    # 2.5 degrees below the 45 of severe throttling, of a span of 30
    assert heat.headroom == pytest.approx(1 - 2.5 / 30, abs=1e-3)


def test_what_is_not_told_has_a_reason() -> None:
    assert read_heat(ANSWER).missing == {
        "zones.quiet_therm": "-40 degrees are not plausible",
        "zones.soc": "Permission denied",
        "max_frequency.4": "Permission denied",
    }


@pytest.mark.parametrize(
    ("meter", "reason"),
    [
        ("meter cat: '/sys/a:b/energy_value': Permission denied\n", "Permission denied"),
        ("meter t=5\nCH0(T=5)[A], many\n", "no power rail is metered"),
        ("meter cat: /sys/energy_value: No such file or directory\n", "no power rail is metered"),
        ("", "no power rail is metered"),
    ],
)
def test_rails_that_are_not_told(meter: str, reason: str) -> None:
    heat = read_heat(f"zone BIG 40000\n{meter}== battery\n")
    assert (heat.rails, heat.missing["rails"]) == ({}, reason)


@pytest.mark.parametrize(
    "answer", ["", "\0\ufffd == battery", "== thermalservice\nCan't find service: thermalservice\n"]
)
def test_a_phone_that_tells_nothing(answer: str) -> None:
    heat = read_heat(answer)
    nothing = Heat(missing=heat.missing)
    assert heat == nothing
    named = set(heat.missing)
    assert named >= {
        "zones", "status", "headroom", "max_frequency", "battery_level", "battery_temperature",
        "charge", "voltage", "is_charging", "is_awake",
    }  # fmt: skip


def test_thresholds_that_are_no_numbers() -> None:
    assert read_heat(ANSWER.replace("45.0", "NaN")).headroom is None
    assert read_heat(ANSWER.replace("mValue=42.5", "mValue=4.2.5")).headroom is None
