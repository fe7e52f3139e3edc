"""A comparison as one self-contained page for people to read."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, select_autoescape

from gdq_bench.compare.pairs import Comparison
from gdq_bench.compare.text import HEADER, comparison_row
from gdq_bench.protocol import BenchResult


def render_page(comparison: Comparison, first: BenchResult, second: BenchResult) -> str:
    """Render the table and what was compared."""
    pages = Environment(
        loader=PackageLoader("gdq_bench", "compare"),
        autoescape=select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return pages.get_template("compare.html").render(
        comparison=comparison,
        header=HEADER,
        rows=[comparison_row(row, ratio) for row, ratio in comparison.ratios.items()],
        results=(first, second),
    )
