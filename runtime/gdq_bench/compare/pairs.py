"""Pairs the rows of two results that measured the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gdq_bench.compare.ratios import Ratio, compare_rounds
from gdq_bench.protocol import BenchResult, PictureTimes, TileTimes, name_bits
from gdq_core.errors import RequestError


@dataclass(frozen=True)
class Row:
    """What was measured, in both results.

    Attributes:
        cluster: of cores; "" on the host.
        what: a tile, or pictures and the number of workers.
        engine: its name.
        bits: as tables show them.

    """

    cluster: str
    what: str
    engine: str
    bits: str

    def __str__(self) -> str:
        place = f" on {self.cluster}" if self.cluster else ""
        return f"{self.what}{place}, {self.engine}, {self.bits}"


@dataclass(frozen=True)
class Comparison:
    """Two results, row by row.

    Attributes:
        ratios: of the rows that both have; None where a result kept no rounds.
        alone: rows that only one of them has.
        notes: what else is different between the two.

    """

    ratios: dict[Row, Ratio | None]
    alone: list[Row]
    notes: list[str]

    def slower_than(self, factor: float) -> list[Row]:
        """Return the rows whose times surely grew, and by more than a factor."""
        return [
            row
            for row, ratio in self.ratios.items()
            if ratio is not None
            and ratio.outcome != "cannot tell"
            and ratio.value > factor
            and ratio.lower > 1
        ]


def compare_results(
    first: BenchResult, second: BenchResult, *, allow_different: bool, allow_invalid: bool
) -> Comparison:
    """Compare the second result with the first.

    Args:
        first: what is compared with.
        second: what is compared.
        allow_different: also if they were measured with different tiles, or on different devices.
        allow_invalid: also if one is not valid.

    Raises:
        RequestError: it is not allowed, or they have no row in common.

    """
    differences = find_differences(first, second)
    if differences and not allow_different:
        raise RequestError(
            f"the results cannot be compared: {'; '.join(differences)} (--allow-different)"
        )
    invalid = [
        f"{name} is not valid: {result.reasons[0].sentence}"
        for name, result in (("the first", first), ("the second", second))
        if not result.is_valid
    ]
    if invalid and not allow_invalid:
        raise RequestError(f"{'; '.join(invalid)} (--allow-invalid)")
    ours, theirs = _rows(first), _rows(second)
    both = [row for row in ours if row in theirs]
    if not both:
        raise RequestError("the results have no row in common: no engine, width and cluster")
    notes = [*differences, *invalid, *_describe_changes(first, second)]
    ratios = {row: compare_rounds(ours[row], theirs[row]) for row in both}
    if any(ratio is None for ratio in ratios.values()):
        notes.append("a result of an older gdq-bench kept no rounds: nothing can be told from it")
    alone = [row for row in (*ours, *theirs) if (row in ours) != (row in theirs)]
    return Comparison(ratios, alone, notes)


def find_differences(first: BenchResult, second: BenchResult) -> list[str]:
    """Say what makes times of two results incomparable."""
    pairs = {
        "device": (_device(first), _device(second)),
        "network's scale": (first.settings.scale, second.settings.scale),
        "side of tiles": (first.settings.tile, second.settings.tile),
    }
    inputs = first.settings.inputs, second.settings.inputs
    if None not in inputs:  # version 1 did not record them
        pairs["tiles and pictures"] = (str(inputs[0])[:12], str(inputs[1])[:12])
    return [
        f"the {name} is {one} in the first and {other} in the second"
        for name, (one, other) in pairs.items()
        if one != other
    ]


def _device(result: BenchResult) -> str:
    """Name what must be the same: the model of a phone, or the host's processor."""
    return result.machine.processor if result.device is None else result.device.model


def _describe_changes(first: BenchResult, second: BenchResult) -> list[str]:
    changes = {
        "checkpoint": (first.settings.checkpoint[:12], second.settings.checkpoint[:12]),
        "system": (first.machine.system, second.machine.system),
    }
    if first.device is not None and second.device is not None:
        changes["phone"] = (first.device.serial, second.device.serial)
        changes["program"] = (first.device.program[:12], second.device.program[:12])
    return [
        f"the {name} changed: {one}, then {other}"
        for name, (one, other) in changes.items()
        if one != other
    ]


def _rows(result: BenchResult) -> dict[Row, list[float]]:
    """Return the times of every row: of the processor alone, and of the clock with several."""
    timed: Sequence[TileTimes | PictureTimes] = [*result.tiles, *result.pictures]
    rows = {}
    for one in timed:
        workers = one.workers if isinstance(one, PictureTimes) else 0
        what = f"pictures, {workers} workers" if workers > 1 else "pictures" if workers else "tile"
        row = Row(one.cluster or "", what, one.engine, name_bits(one.bits))
        rows[row] = [each.wall if workers > 1 else each.cpu for each in one.rounds]
    return rows
