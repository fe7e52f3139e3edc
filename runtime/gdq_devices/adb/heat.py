"""How hot a phone is, what its clock may do, and what its battery does.

What Android lets the shell read differs from phone to phone: everything that cannot be read is
None, with the reason beside it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from gdq_devices.adb.shell import Shell

_SECONDS = 20.0
_COLDEST, _HOTTEST = -20.0, 150.0
"""Degrees Celsius; zones without a sensor tell -40, -274 or 0."""

_QUESTION = """
for zone in /sys/class/thermal/thermal_zone*; do
  read -r kind 2>/dev/null < $zone/type || kind=${zone##*/}
  echo "zone $kind $(cat $zone/temp 2>&1)"
done
for policy in /sys/devices/system/cpu/cpufreq/policy*; do
  echo "frequency ${policy##*policy} $(cat $policy/scaling_max_freq 2>&1)"
done
for meter in /sys/bus/iio/devices/iio:device*/energy_value; do
  echo "meter $(cat $meter 2>&1)"
done
for name in thermalservice battery power; do echo "== $name"; dumpsys $name 2>&1; done
""".strip()

_SKIN = 3
"""Type of temperatures that thermal status and headroom are about (android.os.Temperature)."""
_SEVERE = 3
"""Position of that status among a sensor's thresholds."""
_HEADROOM_SPAN = 30.0
"""Degrees below the threshold of severe throttling at which headroom is 0; it is 1 at the threshold
(ThermalManagerService, for PowerManager.getThermalHeadroom)."""
_CHARGING = ("2", "5")
"""What BatteryManager calls charging and full."""


@dataclass(frozen=True)
class Heat:
    """A phone at one moment.

    Attributes:
        zones: degrees Celsius of all that tell a plausible one, by type.
        status: thermal status, 0 (none) to 6 (shutdown).
        headroom: 1 is severe throttling, 0 is 30 degrees below it.
        max_frequency: what the clock may do now, kHz, by the first core that shares it.
        battery_level: percent.
        battery_temperature: degrees Celsius.
        rails: energy that each power rail has let through so far, microjoules; Pixels meter them.
        charge: left in the battery, microampere hours.
        voltage: of the battery, millivolts.
        is_charging: whether it is being charged.
        is_awake: whether the screen is on.
        missing: what is None or left out -> why.

    """

    zones: dict[str, float] = field(default_factory=dict)
    status: int | None = None
    headroom: float | None = None
    max_frequency: dict[int, int] = field(default_factory=dict)
    battery_level: int | None = None
    battery_temperature: float | None = None
    rails: dict[str, int] = field(default_factory=dict)
    charge: int | None = None
    voltage: int | None = None
    is_charging: bool | None = None
    is_awake: bool | None = None
    missing: dict[str, str] = field(default_factory=dict)


def ask_heat(shell: Shell) -> Heat:
    """Ask a phone how hot it is.

    Raises:
        LostError: it does not answer.

    """
    return read_heat(shell.run(_QUESTION, _SECONDS))


def read_heat(answer: str) -> Heat:
    """Read the answer to our question."""
    head, *parts = re.split(r"^== (\w+)$", answer, flags=re.MULTILINE)
    services = dict(zip(parts[::2], parts[1::2], strict=True))
    missing: dict[str, str] = {}
    zones = _read_zones(head, missing)
    frequencies = _read_frequencies(head, missing)
    thermal = services.get("thermalservice", "")
    battery = _Fields(services.get("battery", ""), "dumpsys battery", missing)
    awake = re.search(r"mWakefulness=(\w+)", services.get("power", ""))
    if not awake:
        missing["is_awake"] = "dumpsys power does not tell mWakefulness"
    temperature = battery.number("battery_temperature", "temperature")
    status = battery.text("is_charging", "status")
    return Heat(
        zones=zones,
        status=_read_status(thermal, missing),
        headroom=_read_headroom(thermal, missing),
        max_frequency=frequencies,
        battery_level=battery.number("battery_level", "level"),
        battery_temperature=None if temperature is None else temperature / 10,
        rails=_read_rails(head, missing),
        charge=battery.number("charge", "Charge counter"),
        voltage=battery.number("voltage", "voltage"),
        is_charging=None if status is None else status in _CHARGING,
        is_awake=awake[1] == "Awake" if awake else None,
        missing=missing,
    )


def _read_zones(text: str, missing: dict[str, str]) -> dict[str, float]:
    zones: dict[str, float] = {}
    for kind, value in re.findall(r"^zone (\S+) (.*)$", text, re.MULTILINE):
        if not re.fullmatch(r"-?\d{1,7}", value):
            missing[f"zones.{kind}"] = _shorten(value)
            continue
        degrees = int(value) / 1000
        if _COLDEST < degrees < _HOTTEST and degrees != 0:
            # Of several of one type, the hottest speaks.
            zones[kind] = max(degrees, zones.get(kind, degrees))
        else:
            missing[f"zones.{kind}"] = f"{degrees:g} degrees are not plausible"
    if not zones:
        missing.setdefault("zones", "no thermal zone can be read")
    return zones


def _read_frequencies(text: str, missing: dict[str, str]) -> dict[int, int]:
    found: dict[int, int] = {}
    for core, value in re.findall(r"^frequency (\d+) (.*)$", text, re.MULTILINE):
        if re.fullmatch(r"\d{1,9}", value):
            found[int(core)] = int(value)
        else:
            missing[f"max_frequency.{core}"] = _shorten(value)
    if not found:
        missing.setdefault("max_frequency", "no scaling_max_freq can be read")
    return found


def _read_rails(text: str, missing: dict[str, str]) -> dict[str, int]:
    """Read Pixels' power monitor: a time, then a line ``CH0(T=ms)[RAIL], uWs`` for each rail."""
    channels = re.findall(r"^CH\d+\(T=\d+\)\[([^\]]+)\], (\d{1,18})$", text, re.MULTILINE)
    if not channels:
        refused = re.search(r"^meter (.*: Permission denied)$", text, re.MULTILINE)
        missing["rails"] = _shorten(refused[1]) if refused else "no power rail is metered"
    return {rail: int(energy) for rail, energy in channels}


def _read_status(thermal: str, missing: dict[str, str]) -> int | None:
    if match := re.search(r"^\s*Thermal Status: ([0-6])\b", thermal, re.MULTILINE):
        return int(match[1])
    missing["status"] = _shorten(thermal) or "dumpsys thermalservice does not tell it"
    return None


def _read_headroom(thermal: str, missing: dict[str, str]) -> float | None:
    """Compute it from the skin's temperature and its threshold, as Android does for apps."""
    now = thermal.partition("Current temperatures from HAL")[2]
    skin = rf"mValue=([\d.]+), mType={_SKIN}, mName=([^,}}]+)"
    limits = rf"mType={_SKIN}, mName=([^,]+), mHotThrottlingThresholds=\[([^\]]*)\]"
    thresholds = {
        name: values.split(",")[_SEVERE].strip()
        for name, values in re.findall(limits, thermal)
        if values.count(",") >= _SEVERE
    }
    rooms = [
        max(0.0, 1 - (float(thresholds[name]) - float(value)) / _HEADROOM_SPAN)
        for value, name in re.findall(skin, now)
        if re.fullmatch(r"\d+(\.\d+)?", thresholds.get(name, "")) and value.count(".") <= 1
    ]
    if not rooms:
        missing["headroom"] = "dumpsys thermalservice tells no skin temperature with a threshold"
        return None
    return round(max(rooms), 3)


@dataclass(frozen=True)
class _Fields:
    """Lines ``name: value`` of a service."""

    answer: str
    source: str
    missing: dict[str, str]

    def text(self, attribute: str, name: str) -> str | None:
        if match := re.search(rf"^\s*{name}: (\S+)\s*$", self.answer, re.MULTILINE):
            return match[1]
        self.missing[attribute] = f"{self.source} does not tell {name!r}"
        return None

    def number(self, attribute: str, name: str) -> int | None:
        value = self.text(attribute, name)
        if value is None or re.fullmatch(r"-?\d{1,12}", value):
            return None if value is None else int(value)
        self.missing[attribute] = f"{self.source} says {name}: {value}"
        return None


def _shorten(text: str) -> str:
    """Return the first line of what was answered instead, without the name of a file."""
    line = (text.strip().splitlines() or ["no answer"])[0]
    return line.rpartition(": ")[2][:80]
