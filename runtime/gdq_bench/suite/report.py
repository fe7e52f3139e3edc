"""Results as a table: in the terminal, and in docs/performance.md between two marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from gdq_bench.protocol import Result, SuiteResults
from gdq_bench.report.text import describe_machine
from gdq_core.files.text import save_text

BEGIN = "<!-- measured: begin (written by `make bench`, do not edit) -->"
END = "<!-- measured: end -->"
_UNITS = {"s": " s", "%": " %", "ratio": "x", "M cycles": " M cycles"}


def terminal_line(result: Result) -> str:
    """Describe a result in one line."""
    verdict = "reached" if result.is_reached else "MISSED"
    return f"{result.name:<52} {_value(result):>9} {_bar(result):>12}  {verdict}"


def write_document(
    path: Path, names: Sequence[str], content: Mapping[str, SuiteResults], *, facts: bool
) -> None:
    """Replace the text between the marks of a page by stored results.

    Args:
        path: the page.
        names: the benchmarks there are; one without results is shown as not measured.
        content: as ``results.load`` returns it.
        facts: write what is behind each number too.
    """
    page = path.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    parts = [BEGIN, _numbers(names, content), *_facts(content, names if facts else ()), END]
    save_text(path, before + "\n\n".join(parts) + after)


def _numbers(names: Sequence[str], content: Mapping[str, SuiteResults]) -> str:
    lines = ["| number | measured | bar | | command |", "|---|---|---|---|---|"]
    for name in names:
        command = f'`make bench BENCH_ARGS="{name}"`'
        if name not in content:
            lines.append(f"| {name} | not measured yet | | | {command} |")
            continue
        for result in content[name].results:
            verdict = "reached" if result.is_reached else "**missed**"
            row = (result.name, _value(result), _bar(result), verdict, command)
            lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines)


def _facts(content: Mapping[str, SuiteResults], names: Sequence[str]) -> list[str]:
    """Return a paragraph for each benchmark: the machine, then what is behind each number."""
    paragraphs = []
    for name in names:
        if name in content:
            lines = [f"**{name}**, {describe_machine(content[name].machine)}:", ""]
            for result in content[name].results:
                facts = "; ".join(f"{fact} {value}" for fact, value in result.facts.items())
                lines.append(f"- {result.name}: {facts}")
            paragraphs.append("\n".join(lines))
    return paragraphs


def _value(result: Result) -> str:
    return f"{result.value:.3g}{_UNITS[result.unit]}"


def _bar(result: Result) -> str:
    return f"{'at least' if result.at_least else 'at most'} {result.bar:g}{_UNITS[result.unit]}"
