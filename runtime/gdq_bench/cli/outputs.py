"""Where results go: standard output, and files; of several phones, each has its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gdq_bench.protocol import BenchResult
from gdq_bench.report.text import render_text
from gdq_core.cli.errors import print_result
from gdq_core.files.reports import check_reports
from gdq_core.files.text import save_text


@dataclass(frozen=True)
class Outputs:
    """Files that were asked for.

    Attributes:
        json_file: of the result, if it is asked for.
        html_file: of the page, if it is asked for.
        inputs: all that the command reads.
        overwrite: replace former results.

    """

    json_file: Path | None
    html_file: Path | None
    inputs: tuple[Path, ...]
    overwrite: bool

    def of(self, name: str) -> Outputs:
        """Return the files of one of several results: ``result.NAME.json``."""
        json_file, html_file = (
            path and path.with_name(f"{path.stem}.{name}{path.suffix}")
            for path in (self.json_file, self.html_file)
        )
        return Outputs(json_file, html_file, self.inputs, self.overwrite)

    def check(self) -> None:
        """Find out before the work, not after, that the result has no place.

        Raises:
            OutputError: a file exists and is not to be replaced, touches an input, is both, or has
                no folder that can be written to.

        """
        check_reports(self.json_file, self.html_file, self.inputs, overwrite=self.overwrite)

    def show(self, result: BenchResult) -> None:
        """Print the result and write the files.

        Results that took minutes must not be lost because one of their outputs is closed or full.

        Raises:
            OutputError: one of them is.

        """
        try:
            print_result(render_text(result))
        finally:
            self._save(result)

    def _save(self, result: BenchResult) -> None:
        if self.json_file is not None:
            save_text(self.json_file, result.model_dump_json(indent=1) + "\n")
        if self.html_file is not None:
            from gdq_bench.report.page import render_page

            save_text(self.html_file, render_page(result))
