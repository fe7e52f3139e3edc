"""Lines as the native program prints them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gdq_bench.native.lines import EndLine, EngineLine, GoldenLine, JudgedLine, Line, RoundLine


def round_line(number: int, **changes: Any) -> RoundLine:
    content: dict[str, Any] = {
        "line": "round",
        "round": number,
        "engine": "gdq",
        "bits": None,
        "workers": 1,
        "at_ns": 0,
        "wall_ns": 1,
        "cpu_ns": 1,
        "cores_before": [6],
        "cores_after": [6],
        "khz": [None],
    }
    return RoundLine.model_validate(content | changes)


def end_line(lines: int, status: int = 0) -> EndLine:
    return EndLine.model_validate({"line": "end", "lines": lines, "status": status})


def printed(*lines: Line) -> list[str]:
    return [line.model_dump_json() for line in lines]


def engine_lines(
    name: str = "gdq", *, holds: bool = True, graphs: Sequence[Any] = (), **judged: Any
) -> list[Line]:
    """What comes before the rounds of an engine: 2 tiles of 10 samples at 2 widths."""
    engine: dict[str, Any] = {
        "line": "engine",
        "engine": name,
        "version": "9",
        "reads": "engine",
        "accelerator_asked": "cpu",
        "accelerator_used": "cpu",
        "isa": "dotprod" if name == "gdq" else None,
        "graphs": list(graphs),
    }
    golden = [
        {"line": "golden", "engine": name, "bits": bits, "tiles": 2, "sha256": "0" * 64,
         "differences": {"0": 9, "1": 8, "3": 3} if bits == 8 else {"0": 20}}
        for bits in (4, 8)
    ]  # fmt: skip
    decisions = {"bit_widths": None, "sensitivities": None, **judged}
    judgement = {"line": "judged", "engine": name, "holds": holds, **decisions}
    return [
        EngineLine.model_validate(engine),
        *(GoldenLine.model_validate(line) for line in golden),
        JudgedLine.model_validate(judgement),
    ]
