"""Results as a table: in the terminal, and in docs/performance.md between two marks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.results import Result

BEGIN = "<!-- measured: begin (written by `make bench`, do not edit) -->"
END = "<!-- measured: end -->"


def terminal_line(result: Result) -> str:
    """One result in one line."""
    verdict = "reached" if result.is_reached else "MISSED"
    return f"{result.name:<52} {_value(result):>9} {_bar(result):>12}  {verdict}"


def write_document(path: Path, content: Mapping[str, Mapping[str, Any]]) -> None:
    """Replaces what stands between the marks of a page by tables of stored results.

    Args:
        path: the page.
        content: as ``results.load`` returns it.
    """
    page = path.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    text = "\n\n".join([BEGIN, _numbers(content), _details(content), END])
    path.write_text(before + text + after, encoding="utf-8")


def _numbers(content: Mapping[str, Mapping[str, Any]]) -> str:
    lines = ["| number | measured | bar | | command |", "|---|---|---|---|---|"]
    for benchmark, entry in content.items():
        command = f'`make bench BENCH_ARGS="{benchmark}"`'
        for fields in entry["results"]:
            result = Result(**fields)
            value = "not measured (quick run)" if entry["quick"] else _value(result)
            verdict = "reached" if result.is_reached else "**missed**"
            shown = "" if entry["quick"] else verdict
            lines.append(f"| {result.name} | {value} | {_bar(result)} | {shown} | {command} |")
    return "\n".join(lines)


def _details(content: Mapping[str, Mapping[str, Any]]) -> str:
    """The facts behind each number, and the machine."""
    parts = []
    for benchmark, entry in content.items():
        machine = entry["machine"]
        facts = [
            f"- {result['name']}: "
            + "; ".join(f"{fact} {value}" for fact, value in result["facts"].items())
            for result in entry["results"]
        ]
        parts.append("\n".join([f"**{benchmark}**, {_machine(machine)}", "", *facts]))
    return "\n\n".join(parts)


def _machine(machine: Mapping[str, str]) -> str:
    return (
        f"{machine['processor']}, {machine['processors']} processors, Python {machine['python']}, "
        f"ONNX Runtime {machine['onnxruntime']}, torch {machine['torch']}, "
        f"load {machine['load_before']} before, {machine['date']}:"
    )


def _value(result: Result) -> str:
    unit = {"s": " s", "%": " %", "ratio": "x"}[result.unit]
    return f"{result.value:.3g}{unit}"


def _bar(result: Result) -> str:
    unit = {"s": " s", "%": " %", "ratio": "x"}[result.unit]
    return f"{'at least' if result.at_least else 'at most'} {result.bar:g}{unit}"
