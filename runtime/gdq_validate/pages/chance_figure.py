"""The dial beside chance and an oracle as a figure, for documents.

``python -m gdq_validate.pages.chance_figure RESULT.json FIGURE.svg``, the result being one of
``gdq-validate --against-chance --json``.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader

from gdq_core.errors import RequestError
from gdq_core.files.text import write_text
from gdq_validate.chance.report import FixedRoute, RoutedPoint
from gdq_validate.pages.trade_off_plot import loss_grid
from gdq_validate.report import ValidationReport

WIDTH, HEIGHT = 720, 340
"""Size of the drawing in its own units."""
_TOP, _BOTTOM = 40, 290
_PANELS = ((64, 344), (424, 704))
"""Left and right of each."""


@dataclass(frozen=True)
class Point:
    """A dot, and the interval of its loss if it has one."""

    x: float
    y: float
    ends: tuple[float, float] | None = None


@dataclass(frozen=True)
class Panel:
    """One plot: loss against bits, or against time; everything in units of the drawing."""

    title: str
    left: float
    right: float
    lines: dict[str, str]
    """Class in the style sheet -> ``x,y x,y ...`` as SVG has it."""
    routed: list[Point]
    fixed: list[Point]
    columns: list[tuple[float, str]]


def render_figure(report: ValidationReport) -> str:
    """Render loss against bits and against time as SVG.

    Raises:
        RequestError: the result has no comparison with chance, or at one position only.

    """
    contest = report.against_chance
    panels = [] if contest is None else [contest.by_bits, contest.by_time]
    if contest is None or not any(len(points) > 1 for points in panels):
        raise RequestError(
            "this result compares no positions of the dial: validate with --against-chance and "
            "without --fab and --speed"
        )
    top = 1.1 * max(fixed.loss_db for fixed in contest.fixed)
    axes = [
        ("FAB, bits", contest.by_bits, False),
        ("processor time of a tile, ms", contest.by_time, True),
    ]
    drawn = [
        _panel(title, contest.fixed, points, span, top, in_time=in_time)
        for (title, points, in_time), span in zip(axes, _PANELS, strict=True)
        if len(points) > 1
    ]
    pages = Environment(loader=PackageLoader("gdq_validate", "pages"), autoescape=True)
    return pages.get_template("chance_figure.svg").render(
        panels=drawn,
        rows=[(round(_y(loss, top), 1), f"{loss:g}") for loss in loss_grid(top)],
        width=WIDTH,
        height=HEIGHT,
        title=f"{report.bundle} on {report.data}, {len(report.images)} pictures",
    )


def _panel(
    title: str,
    fixed: Sequence[FixedRoute],
    points: Sequence[RoutedPoint],
    span: tuple[int, int],
    top: float,
    *,
    in_time: bool,
) -> Panel:
    known: list[FixedRoute | RoutedPoint] = [*fixed, *points]
    values = [_value(one, in_time=in_time) for one in known]
    low, high = min(values), max(values)

    def x(value: float) -> float:
        return round(span[0] + (value - low) / (high - low) * (span[1] - span[0]), 1)

    ordered = sorted(points, key=lambda point: _value(point, in_time=in_time))
    at = [x(_value(point, in_time=in_time)) for point in ordered]
    losses = {
        "random": [point.chance_db for point in ordered],
        "gate": [point.loss_db for point in ordered],
        "oracle": [point.oracle_db for point in ordered],
    }
    return Panel(
        title=title,
        left=span[0],
        right=span[1],
        lines={
            style: " ".join(
                f"{left},{_y(loss, top):.1f}" for left, loss in zip(at, its, strict=True)
            )
            for style, its in losses.items()
        },
        routed=[
            Point(left, round(_y(point.loss_db, top), 1), _ends(point, top))
            for left, point in zip(at, ordered, strict=True)
        ],
        fixed=[
            Point(x(_value(one, in_time=in_time)), round(_y(one.loss_db, top), 1)) for one in fixed
        ],
        columns=[
            (x(value), f"{value:.3g}") for value in (low + (high - low) * n / 4 for n in range(5))
        ],
    )


def _value(spent: FixedRoute | RoutedPoint, *, in_time: bool) -> float:
    if not in_time:
        return spent.fab
    assert spent.milliseconds_per_tile is not None
    return spent.milliseconds_per_tile


def _ends(point: RoutedPoint, top: float) -> tuple[float, float] | None:
    """The interval of the share of chance, as a loss."""
    if point.interval is None:
        return None
    low, high = (round(_y(share * point.chance_db, top), 1) for share in point.interval)
    return low, high


def _y(loss: float, top: float) -> float:
    return _BOTTOM - min(max(loss, -0.1 * top), top) / top * (_BOTTOM - _TOP)


if __name__ == "__main__":
    result = ValidationReport.model_validate_json(Path(sys.argv[1]).read_text(encoding="utf-8"))
    write_text(Path(sys.argv[2]), render_figure(result))
