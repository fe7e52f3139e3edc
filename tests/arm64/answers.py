"""What a processor answers about the golden tiles, and how that is judged and shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from pydantic import BaseModel, ConfigDict

LARGEST_SHARE = 1e-3
"""Of samples that may be more than one apart: level 3 of docs/numerics.md."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Decision(_Model):
    """What was decided of one golden tile: its bit-width, or its sensitivity."""

    expected: int | list[int]
    got: int | list[int]


class EngineAnswer(_Model):
    """An engine ran all golden tiles."""

    accelerator: str
    decisions: list[Decision]
    differences: dict[int, dict[int, int]]
    """Bit-width -> difference in LSB -> number of samples."""
    pixels: str
    """SHA-256 of all outputs: equal where two processors agree in every bit."""
    seconds: float

    @property
    def wrong_decisions(self) -> list[int]:
        """Numbers of the tiles of which something else was decided."""
        pairs = enumerate(self.decisions)
        return [tile for tile, pair in pairs if pair.got != pair.expected]

    @property
    def widths_beyond_contract(self) -> list[int]:
        """Bit-widths at which too many samples differ by more than 1."""
        shares = {width: _share_within_one(found) for width, found in self.differences.items()}
        return [width for width, share in shares.items() if 1 - share > LARGEST_SHARE]


class Refusal(_Model):
    """The bundle has nothing for an engine."""

    refusal: str


class Answer(_Model):
    """All engines of one processor."""

    machine: str
    features: dict[str, bool]
    engines: dict[str, EngineAnswer | Refusal]


ANSWERS = pytest.StashKey[dict[str, Answer]]()
"""Where pytest keeps what every processor answered, for its summary."""


def summary_lines(answers: Mapping[str, Answer]) -> Iterator[str]:
    """A table with a line for each processor, engine and bit-width."""
    yield "samples by difference from the golden tiles, in LSB of the uint8 output:"
    columns = "".join(f"{title:>10}" for title in ("bits", "0", "1", "more", "within 1"))
    yield f"{'processor':<12} {'engine':<12}{columns}"
    for cpu, answer in sorted(answers.items()):
        for name, engine in answer.engines.items():
            for line in _engine_lines(engine):
                yield f"{cpu:<12} {name:<12}{line}"


def _engine_lines(engine: EngineAnswer | Refusal) -> Iterator[str]:
    if isinstance(engine, Refusal):
        yield f" not run: {engine.refusal}"
        return
    for width, found in sorted(engine.differences.items()):
        equal, one = found.get(0, 0), found.get(1, 0)
        more = sum(found.values()) - equal - one
        share = _share_within_one(found)
        yield f"{width:>10}{equal:>10,}{one:>10,}{more:>10,}{share:>10.3%}"
    yield f" pixels {engine.pixels[:16]}, {engine.seconds:.0f} s"


def _share_within_one(found: Mapping[int, int]) -> float:
    return (found.get(0, 0) + found.get(1, 0)) / sum(found.values())
