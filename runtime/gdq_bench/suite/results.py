"""Results of the suite: the facts behind a number, and the file that holds the last ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from pydantic import TypeAdapter, ValidationError

from gdq_bench.measure.clock import Times
from gdq_bench.measure.machine import describe_machine
from gdq_bench.protocol import Facts, Result, SuiteResults
from gdq_core.errors import RequestError

_PACKAGES = ("onnxruntime", "ai-edge-litert", "torch", "numpy", "OpenImageIO")
_CONTENT = TypeAdapter(dict[str, SuiteResults])


def facts_of(name: str, times: Times) -> Facts:
    """Return medians and extremes under a name."""
    return {
        f"{name}: wall, s": round(median(times.wall), 4),
        f"{name}: wall from to, s": f"{min(times.wall):.4f} to {max(times.wall):.4f}",
        f"{name}: cpu, s": round(median(times.cpu), 4),
    }


def store(path: Path, benchmark: str, results: list[Result]) -> None:
    """Put the results of one benchmark into a JSON file; those of others stay.

    Args:
        path: the file, made if it is not there.
        benchmark: name in the suite.
        results: what it returned.

    """
    found = SuiteResults(machine=describe_machine(_PACKAGES), results=results)
    content = {**load(path), benchmark: found}
    path.parent.mkdir(parents=True, exist_ok=True)
    written = _CONTENT.dump_python(content, mode="json")
    path.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


def load(path: Path) -> Mapping[str, SuiteResults]:
    """Read what ``store`` wrote; nothing if there is no such file.

    Raises:
        RequestError: the file is of another version of the suite.

    """
    if not path.exists():
        return {}
    try:
        return _CONTENT.validate_json(path.read_bytes())
    except ValidationError as error:
        raise RequestError(f"{path} holds results of another version: remove it") from error
