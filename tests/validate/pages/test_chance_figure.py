from __future__ import annotations

from xml.etree import ElementTree

import pytest

from gdq_core.errors import RequestError
from gdq_validate.chance.report import AgainstChance, FixedRoute, RoutedPoint
from gdq_validate.pages.chance_figure import render_figure
from gdq_validate.report import ValidationReport

SVG = "{http://www.w3.org/2000/svg}"


def report(contest: AgainstChance | None) -> ValidationReport:
    # Only what the figure shows.
    return ValidationReport.model_construct(
        bundle="b", data="<Kodak>", images=[], against_chance=contest
    )


def point(fab: float, loss: float) -> RoutedPoint:
    return RoutedPoint(
        dial=f"--fab {fab}",
        fab=fab,
        milliseconds_per_tile=None,
        loss_db=loss,
        chance_db=2 * loss,
        oracle_db=loss / 2,
        of_chance=0.5,
        interval=(0.25, 1),
    )


FIXED = [
    FixedRoute(route=width, fab=width, milliseconds_per_tile=None, loss_db=loss)
    for width, loss in ((4, 0.1), (8, 0.0))
]


def test_positions_are_drawn_with_their_intervals() -> None:
    contest = AgainstChance(fixed=FIXED, by_bits=[point(6, 0.02), point(5, 0.04)], by_time=[])
    figure = ElementTree.fromstring(render_figure(report(contest)))
    assert any("<Kodak>" in (text.text or "") for text in figure.iter(f"{SVG}text"))
    dots = [dot for dot in figure.iter(f"{SVG}circle") if dot.get("class") == "predictor"]
    # 4 to 8 bits are 64 to 344, and 0 to 0.11 dB are 290 to 40.
    assert [dot.get("cx") for dot in dots] == ["134.0", "204.0"]
    assert [dot.get("cy") for dot in dots] == ["199.1", "244.5"]
    bars = [bar for bar in figure.iter(f"{SVG}line") if bar.get("class") == "interval"]
    assert [(bar.get("y1"), bar.get("y2")) for bar in bars] == [
        ("244.5", "108.2"), ("267.3", "199.1"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "contest", [None, AgainstChance(fixed=FIXED, by_bits=[point(5, 0.1)], by_time=[])]
)
def test_a_single_position_is_no_figure(contest: AgainstChance | None) -> None:
    with pytest.raises(RequestError, match="compares no positions"):
        render_figure(report(contest))
