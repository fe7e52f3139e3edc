"""Layout of the plot of speed against PSNR; the template only draws it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gdq_bench.protocol import PictureTimes, name_bits
from gdq_core.bit_widths import FLOAT

WIDTH, HEIGHT = 640, 360
"""Size of the drawing in its own units."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 72, 16, 16, 44
_MOST_LINES = 6
"""Grid lines along an axis."""


@dataclass(frozen=True)
class Mark:
    """A measurement on the plot.

    Attributes:
        name: engine and bits.
        engine: number of the engine, which chooses the colour.
        shape: class in the page's style sheet: routed, fixed or float.
        x: in the drawing's units.
        y: in the drawing's units.

    """

    name: str
    engine: int
    shape: str
    x: float
    y: float


@dataclass(frozen=True)
class Line:
    """A grid line and its number."""

    name: str
    position: float


@dataclass(frozen=True)
class SpeedPlot:
    """Everything on the plot, in its units."""

    engines: list[str]
    marks: list[Mark]
    columns: list[Line]
    rows: list[Line]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    top: int = _TOP
    bottom: int = HEIGHT - _BOTTOM


def plot_speed(pictures: Sequence[PictureTimes]) -> SpeedPlot:
    """Lay out megapixels per second (from 0) against PSNR, of one worker; at least one has both."""
    shown = [
        (picture, level)
        for picture in pictures
        if picture.workers == 1 and (level := picture.psnr_y) is not None
    ]
    engines = list(dict.fromkeys(picture.engine for picture, _ in shown))
    speeds = _ticks(0, max(picture.megapixels_per_second for picture, _ in shown))
    qualities = _ticks(min(level for _, level in shown), max(level for _, level in shown))

    def x(speed: float) -> float:
        return round(_LEFT + speed / speeds[-1] * (WIDTH - _LEFT - _RIGHT), 1)

    def y(psnr: float) -> float:
        share = (psnr - qualities[0]) / (qualities[-1] - qualities[0])
        return round(HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM), 1)

    return SpeedPlot(
        engines=engines,
        marks=[
            Mark(
                name=f"{picture.engine}, {name_bits(picture.bits)}: "
                f"{picture.megapixels_per_second:.3f} Mpixel/s, {level:.2f} dB",
                engine=engines.index(picture.engine),
                shape=_shape(picture.bits),
                x=x(picture.megapixels_per_second),
                y=y(level),
            )
            for picture, level in shown
        ],
        columns=[Line(f"{speed:g}", x(speed)) for speed in speeds],
        rows=[Line(f"{level:g}", y(level)) for level in qualities],
    )


def _shape(bits: int | None) -> str:
    if bits is None:
        return "routed"
    return "float" if bits == FLOAT else "fixed"


def _ticks(low: float, high: float) -> list[float]:
    """Return round numbers, at least two, from at most ``low`` to at least ``high``."""
    span = max(high - low, 1e-3 * max(abs(high), 1e-3))
    power = 10 ** math.floor(math.log10(span / _MOST_LINES))
    step = next(
        power * factor for factor in (1, 2, 5, 10, 20) if span <= (_MOST_LINES - 1) * power * factor
    )
    first = math.floor(low / step)
    last = max(math.ceil(high / step), first + 1)
    return [round(number * step, 9) for number in range(first, last + 1)]
