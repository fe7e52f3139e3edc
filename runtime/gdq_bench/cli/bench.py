"""``gdq-bench``: bundle + device -> times of all engines, side by side."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gdq_bench.cli.verbs import CommandWithVerbs
from gdq_core.cli import options
from gdq_core.cli.errors import ExitCode, print_result, say_error
from gdq_core.cli.native_output import silence_native_libraries
from gdq_core.cli.packages import require_packages

if TYPE_CHECKING:
    from gdq_bench.protocol import BenchResult

EPILOG = """\b
Examples:
  gdq-bench edsr_x2
  gdq-bench edsr_x2 --data Set14 --json result.json --html result.html
  gdq-bench edsr_x2 --engines onnxruntime,openvino --repeats 10

\b
Verbs, each with a --help of its own:
  gdq-bench compare A.json B.json    which rows are faster, slower, the same
  gdq-bench devices                  phones that adb sees

\b
DIR holds subfolders HR_xS and LR_xS with the same file names, or photos, which
are made smaller by antialiased bicubic interpolation.

\b
Keep the machine quiet. Exit code: 0 done (with warnings if the numbers may
not be trusted), 1 an engine does not compute what the bundle promises
and has no times, 2 an input or an option was refused, 130 interrupted.
"""


@click.command(cls=CommandWithVerbs, epilog=EPILOG)
@click.argument("bundle", type=options.PATH)
@click.option("--host", is_flag=True, help="Measure on this computer: the only target so far.")
@click.option(
    "--data", type=options.PATH, metavar="DIR",
    help="Ground truth of whole pictures.  [default: a mosaic of scikit-image's sample photos, 2K]",
)  # fmt: skip
@click.option(
    "--engines", metavar="all|NAME,...", default="all", show_default=True,
    help="Engines of gdq-upscale, and openvino; all leaves out what is not installed.",
)  # fmt: skip
@click.option(
    "--repeats", type=click.IntRange(min=1), default=5, show_default=True,
    help="Rounds of whole pictures that count; single tiles get eight times as many.",
)  # fmt: skip
@click.option("--json", "json_file", type=options.PATH, help="Write everything to a file.")
@click.option("--html", "html_file", type=options.PATH, help="Write a page with a plot.")
@options.overwrite_option
def main(
    bundle: Path,
    host: bool,
    data: Path | None,
    engines: str,
    repeats: int,
    json_file: Path | None,
    html_file: Path | None,
    overwrite: bool,
) -> None:
    """Measure a BUNDLE: all engines in turn, one tile and whole pictures, pinned to processors."""
    with silence_native_libraries():
        from gdq_bench.report.text import render_text
        from gdq_bench.targets.host import Plan, measure_host
        from gdq_core.cli.folders import say_passed_over
        from gdq_core.cli.progress import TileProgress
        from gdq_core.files.reports import check_reports
        from gdq_runtime.bundle.reader import Bundle

        inputs = [path for path in (bundle, data) if path is not None]
        check_reports(json_file, html_file, inputs, overwrite=overwrite)
        if html_file is not None:
            require_packages("--html", "bench", "jinja2")
        plan = Plan(engines, data, repeats)
        if data is not None:
            say_passed_over(data)
        result = measure_host(Bundle.open(bundle), plan, TileProgress)
        # Results that took minutes must not be lost because one of their outputs is closed or full.
        try:
            print_result(render_text(result))
        finally:
            _save(result, json_file, html_file)
        if result.wrong:
            say_error(f"wrong outputs, not timed: {', '.join(result.wrong)}")
            sys.exit(ExitCode.CHECK_FAILED)


def _save(result: BenchResult, json_file: Path | None, html_file: Path | None) -> None:
    from gdq_core.files.text import save_text

    if json_file is not None:
        save_text(json_file, result.model_dump_json(indent=1) + "\n")
    if html_file is not None:
        from gdq_bench.report.page import render_page

        save_text(html_file, render_page(result))


if __name__ == "__main__":
    main()
