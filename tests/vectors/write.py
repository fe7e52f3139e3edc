"""Writes the vectors anew: ``PYTHONPATH=tests python -m vectors.write``; a test keeps them in step.

They are computed by formulas of their own, which use nothing of the runtime.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vectors.cases import budget, costs, interpolation, routing, sensitivity, stitching, tiling

FOLDER = Path(__file__).parent

SUBJECTS: dict[str, Callable[[], Any]] = {
    "budget": budget.create,
    "costs": costs.create,
    "interpolation": interpolation.create,
    "routing": routing.create,
    "sensitivity": sensitivity.create,
    "stitching": stitching.create,
    "tiling": tiling.create,
}


def render(vectors: dict[str, list[dict[str, Any]]]) -> str:
    """Renders a case per line, so that a change shows as the cases that it concerns."""
    lists = [
        f'"{name}": [\n' + ",\n".join(json.dumps(case) for case in cases) + "\n]"
        for name, cases in vectors.items()
    ]
    return "{\n" + ",\n".join(lists) + "\n}\n"


def load(subject: str) -> dict[str, list[dict[str, Any]]]:
    """Reads the vectors of a subject."""
    text = (FOLDER / f"{subject}.json").read_text(encoding="utf-8")
    vectors: dict[str, list[dict[str, Any]]] = json.loads(text)
    return vectors


if __name__ == "__main__":
    for subject, create in SUBJECTS.items():
        (FOLDER / f"{subject}.json").write_text(render(create()), encoding="utf-8")
