"""``python -m gdq_bench.suite``: runs the suite, prints a table, stores JSON."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from gdq_bench.suite.report import terminal_line, write_document
from gdq_bench.suite.results import load, store
from gdq_core.cli.command import Command
from gdq_core.cli.errors import print_result, say

ROOT = Path(__file__).resolve().parents[3]
CHECKPOINT = ROOT / "models/zoo/edsr_baseline_x2/edsr_baseline_x2.safetensors"
STORED = ROOT / ".benchmarks/results.json"
DOCUMENT = ROOT / "docs/performance.md"
README = ROOT / "README.md"


@click.command(cls=Command)
@click.argument("names", nargs=-1)
@click.option(
    "--checkpoint", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=CHECKPOINT, help="EDSR-baseline x2.  [default: the zoo's]",
)  # fmt: skip
@click.option(
    "--quick", is_flag=True, help="Smallest inputs, to see that everything runs; stores nothing."
)
@click.option("--document", is_flag=True, help="Write the stored results into docs and README.")
def main(names: Sequence[str], checkpoint: Path, quick: bool, document: bool) -> None:
    """Run the benchmarks NAMES, or all of them; results go to .benchmarks/results.json."""
    # torch takes seconds to import; a wrong option should not.
    from gdq_bench.suite.benchmarks import BENCHMARKS
    from gdq_bench.suite.subjects import Subjects

    if unknown := [name for name in names if name not in BENCHMARKS]:
        raise click.UsageError(
            f"no benchmark {unknown[0]!r}; choose one of {', '.join(BENCHMARKS)}"
        )
    load(STORED)  # what cannot be added to is found before hours of measuring, not after
    missed = False
    with tempfile.TemporaryDirectory() as folder:
        subjects = Subjects(checkpoint, Path(folder), quick)
        for name in names or BENCHMARKS:
            say(f"{name} ...")
            results = BENCHMARKS[name](subjects)
            if not quick:
                store(STORED, name, results)
            for result in results:
                print_result(terminal_line(result))
                missed |= not result.is_reached
    if document:
        for page in (DOCUMENT, README):
            write_document(page, list(BENCHMARKS), load(STORED), facts=page == DOCUMENT)
    sys.exit(int(missed and not quick))


if __name__ == "__main__":
    main()
