"""Whether memory stays bounded when pictures grow."""

from __future__ import annotations

from pathlib import Path

from gdq_bench.measure.commands import run_command
from gdq_bench.protocol import Facts, Result
from gdq_bench.suite.subjects import Subjects


def measure(subjects: Subjects) -> list[Result]:
    """Compare the peak memory for a PNG with that for a ten times larger one.

    Two ways to grow: taller, which rows of tiles should not notice, and in proportion, where a row
    of tiles holds 3.2 times as much.
    """
    small, large = (0.1, 1) if subjects.quick else (10, 100)
    width = 400 if subjects.quick else 3648
    peak = _peak(subjects, subjects.photo(small, width=width))
    taller = _peak(subjects, subjects.photo(large, width=width))
    wider = _peak(subjects, subjects.photo(large))
    return [
        _growth(f"memory, {large} against {small} megapixels, taller", peak, taller),
        _growth(f"memory, {large} against {small} megapixels, same shape", peak, wider),
    ]


def _peak(subjects: Subjects, picture: Path) -> int:
    target = subjects.folder / "large.png"
    run = run_command(("gdq-upscale", picture, "-b", subjects.bundle, "-o", target))
    target.unlink()
    picture.unlink()
    return run.peak_memory


def _growth(name: str, small: int, large: int) -> Result:
    facts: Facts = {
        "small: peak, MB": round(small / 1e6, 1),
        "large: peak, MB": round(large / 1e6, 1),
    }
    return Result(name=name, value=large / small, unit="ratio", bar=1.10, facts=facts)
