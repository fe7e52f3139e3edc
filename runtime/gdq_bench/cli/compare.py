"""``gdq-bench compare``: two results -> which rows are faster, slower, the same."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gdq_core.cli import options
from gdq_core.cli.command import Command
from gdq_core.cli.errors import ExitCode, print_result, say_error
from gdq_core.cli.packages import require_packages
from gdq_core.errors import RequestError

EPILOG = """\b
Examples:
  gdq-bench compare before.json after.json
  gdq-bench compare before.json after.json --fail-if-slower 5%

\b
Exit code: 0 compared, 1 something is slower than --fail-if-slower allows,
2 an input was refused: not a result, of other tiles or another device, or
not valid.
"""


def _parse_percent(text: str) -> float:
    try:
        percent = float(text.removesuffix("%"))
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not a percentage such as 5%") from error
    if not 0 <= percent <= 1000:
        raise click.BadParameter(f"{text!r} is not between 0% and 1000%")
    return percent


@click.command(cls=Command, epilog=EPILOG)
@click.argument("first", type=options.PATH, metavar="A.json")
@click.argument("second", type=options.PATH, metavar="B.json")
@click.option("--html", "html_file", type=options.PATH, help="Write a page.")
@click.option(
    "--fail-if-slower", type=_parse_percent, metavar="PERCENT",
    help="Exit code 1 if a row of B surely takes longer, and by more than so much.",
)  # fmt: skip
@click.option("--allow-invalid", is_flag=True, help="Also of results that are not valid.")
@click.option("--allow-different", is_flag=True, help="Also of other tiles, or another device.")
@options.overwrite_option
def main(
    first: Path,
    second: Path,
    html_file: Path | None,
    fail_if_slower: float | None,
    allow_invalid: bool,
    allow_different: bool,
    overwrite: bool,
) -> None:
    """Compare result B with result A, row by row, with an interval for each ratio."""
    from gdq_bench.compare.pairs import compare_results
    from gdq_bench.compare.text import render_text
    from gdq_bench.results import read_result
    from gdq_core.files.reports import check_reports
    from gdq_core.files.text import save_text

    check_reports(None, html_file, [first, second], overwrite=overwrite)
    if html_file is not None:
        require_packages("--html", "bench", "jinja2")
    if first.exists() and second.exists() and first.samefile(second):
        raise RequestError(f"{first} and {second} are one file: name two results")
    results = read_result(first), read_result(second)
    comparison = compare_results(
        *results, allow_different=allow_different, allow_invalid=allow_invalid
    )
    print_result(render_text(comparison))
    if html_file is not None:
        from gdq_bench.compare.page import render_page

        save_text(html_file, render_page(comparison, *results))
    if fail_if_slower is not None and (slower := comparison.slower_than(1 + fail_if_slower / 100)):
        say_error(f"slower by more than {fail_if_slower:g} %: {'; '.join(map(str, slower))}")
        sys.exit(ExitCode.CHECK_FAILED)
