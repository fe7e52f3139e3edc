"""The result as one self-contained page for people to read."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, select_autoescape

from gdq_bench.protocol import BenchResult
from gdq_bench.report import text
from gdq_bench.report.speed_plot import plot_speed
from gdq_bench.report.sustained_plot import lay_out_curves
from gdq_bench.report.tile_bars import lay_out_bars


def render_page(result: BenchResult) -> str:
    """Render tables, plot and machine."""
    pages = Environment(
        loader=PackageLoader("gdq_bench", "report"),
        autoescape=select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    judged = [picture for picture in result.pictures if picture.psnr_y is not None]
    return pages.get_template("bench.html").render(
        result=result,
        plot=plot_speed(judged) if judged else None,
        bars={} if result.device is None else lay_out_bars(result.tiles),
        curves=[
            (text.describe_sustained(one)[0], lay_out_curves(one, result.device))
            for one in result.sustained
            if result.device is not None
        ],
        graphs=(text.GRAPHS, text.graph_table(result)),
        heat=text.heat_table(result),
        machine=text.describe_machine(result.machine),
        pictures=text.describe_pictures(result),
        ratio=text.describe_ratio(result),
        tables=[
            ("One tile", list(text.tile_table(result))),
            ("Whole pictures", list(text.picture_table(result))),
        ],
    )
