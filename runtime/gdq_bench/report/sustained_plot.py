"""Layout of a sustained measurement: speed, temperature and clock over the minutes.

The template only draws it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gdq_bench.protocol import DeviceFacts, Minute, Sustained

WIDTH, HEIGHT = 640, 132
"""Size of one curve's drawing in its own units."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 72, 16, 30, 26


@dataclass(frozen=True)
class Curve:
    """One quantity over time.

    Attributes:
        name: with its unit.
        points: (x, y) in the drawing's units; minutes in which it could not be read are left out.
        top: the largest value, which the upper edge stands for.
        minutes: how many there are.

    """

    name: str
    points: list[tuple[float, float]]
    top: str
    minutes: int
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    upper: int = _TOP
    lower: int = HEIGHT - _BOTTOM


def lay_out_curves(sustained: Sustained, device: DeviceFacts) -> list[Curve]:
    """Lay out all that could be read, from 0 up."""
    cluster = next((one for one in device.clusters if one.name == sustained.cluster), None)
    first = None if cluster is None else cluster.cores[0]

    def frequency(minute: Minute) -> float | None:
        khz = None if first is None else minute.heat.max_frequency.get(first)
        return None if khz is None else khz / 1e6

    minutes = sustained.minutes
    values: dict[str, list[float | None]] = {
        "Mpixel/s": [minute.megapixels_per_second for minute in minutes],
        "hottest, °C": [max(minute.heat.zones.values(), default=None) for minute in minutes],
        "clock at most, GHz": [frequency(minute) for minute in minutes],
    }
    return [
        _lay_out(name, known)
        for name, known in values.items()
        if any(value is not None for value in known)
    ]


def _lay_out(name: str, values: Sequence[float | None]) -> Curve:
    largest = max(value for value in values if value is not None) or 1.0
    step = (WIDTH - _LEFT - _RIGHT) / max(1, len(values) - 1)
    points = [
        (
            round(_LEFT + number * step, 1),
            round(HEIGHT - _BOTTOM - value / largest * (HEIGHT - _TOP - _BOTTOM), 1),
        )
        for number, value in enumerate(values)
        if value is not None
    ]
    return Curve(name=name, points=points, top=f"{largest:.3g}", minutes=len(values))
