"""What gdq-validate and gdq-bench write: one result as JSON and as a page."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gdq_core.files.outputs import Output, check_outputs
from gdq_core.files.recognition import is_page, is_result


def check_reports(
    json_file: Path | None, html_file: Path | None, inputs: Iterable[Path], *, overwrite: bool
) -> None:
    """Find out before the work, not after, that its result has no place.

    Args:
        json_file: of the result, if it is asked for.
        html_file: of the page, if it is asked for.
        inputs: all that the command reads.
        overwrite: replace former results.

    Raises:
        OutputError: a file exists and is not to be replaced, touches an input, is both, or has no
            folder that can be written to.

    """
    outputs = []
    if json_file is not None:
        outputs.append(Output(json_file, "a result", is_result))
    if html_file is not None:
        outputs.append(Output(html_file, "a page", is_page))
    check_outputs(outputs, inputs, overwrite=overwrite)
