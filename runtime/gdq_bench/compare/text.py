"""A comparison as text for a terminal."""

from __future__ import annotations

from gdq_bench.compare.pairs import Comparison, Row
from gdq_bench.compare.ratios import Ratio
from gdq_bench.report.tables import align

HEADER = ("cluster", "what", "engine", "bits", "ratio", "95 % of ratios", "second is")


def render_text(comparison: Comparison) -> str:
    """Render the table and what to mind."""
    rows = [comparison_row(row, ratio) for row, ratio in comparison.ratios.items()]
    return "\n".join(
        [
            *align([HEADER, *rows], words=4),
            "",
            "ratio: median time of the second over the first; below 1, the second is faster",
            *(f"only in one: {row}" for row in comparison.alone),
            *(f"note: {note}" for note in comparison.notes),
        ]
    )


def comparison_row(row: Row, ratio: Ratio | None) -> tuple[str, ...]:
    """Return one line of the table."""
    if ratio is None:
        return (row.cluster, row.what, row.engine, row.bits, "", "", "cannot tell")
    interval = f"{ratio.lower:.3f}..{ratio.upper:.3f}"
    return (
        row.cluster, row.what, row.engine, row.bits, f"{ratio.value:.3f}", interval, ratio.outcome
    )  # fmt: skip
