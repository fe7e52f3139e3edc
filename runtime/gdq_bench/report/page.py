"""The result as one self-contained page for people to read."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, select_autoescape

from gdq_bench.protocol import BenchResult
from gdq_bench.report import text
from gdq_bench.report.speed_plot import plot_speed


def render_page(result: BenchResult) -> str:
    """Render tables, plot and machine."""
    pages = Environment(
        loader=PackageLoader("gdq_bench", "report"),
        autoescape=select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return pages.get_template("bench.html").render(
        result=result,
        plot=plot_speed(result.pictures) if result.pictures else None,
        machine=text.describe_machine(result.machine),
        pictures=text.describe_pictures(result),
        ratio=text.describe_ratio(result),
        tables=[
            ("One tile", text.TILE_HEADER, [text.tile_row(tile) for tile in result.tiles]),
            (
                "Whole pictures",
                text.PICTURE_HEADER,
                [text.picture_row(picture) for picture in result.pictures],
            ),
        ],
    )
