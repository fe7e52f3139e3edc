"""What a benchmark says: a number, the bar it must reach, and the facts behind it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from gdq_bench.suite.machine import describe_machine
from gdq_core.files.text import save_text


@dataclass(frozen=True)
class Result:
    """One number that was promised.

    Attributes:
        name: what was measured, in words.
        value: the number.
        unit: "s", "ratio", "%" or "M cycles".
        bar: what it must reach.
        at_least: whether the bar is a lower bound; else it is an upper one.
        facts: medians, sizes and counts that the number came from.
    """

    name: str
    value: float
    unit: str
    bar: float
    at_least: bool = False
    facts: dict[str, float | int | str] = field(default_factory=dict)

    @property
    def is_reached(self) -> bool:
        """Whether the number reaches its bar."""
        return self.value >= self.bar if self.at_least else self.value <= self.bar


def store(path: Path, benchmark: str, results: list[Result]) -> None:
    """Puts the results of one benchmark into a JSON file; those of others stay.

    Args:
        path: the file, made if it is not there.
        benchmark: name in the suite.
        results: what it returned.
    """
    content = load(path)
    content[benchmark] = {
        "machine": describe_machine(),
        "results": [asdict(result) for result in results],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    save_text(path, json.dumps(content, indent=1) + "\n")


def load(path: Path) -> dict[str, dict[str, object]]:
    """Reads what ``store`` wrote; nothing if there is no such file."""
    if not path.exists():
        return {}
    content: dict[str, dict[str, object]] = json.loads(path.read_text(encoding="utf-8"))
    return content
