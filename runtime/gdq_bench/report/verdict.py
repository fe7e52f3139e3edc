"""Whether the numbers can be trusted: warnings about what speaks against it."""

from __future__ import annotations

from collections.abc import Sequence

from gdq_bench.protocol import EngineFacts, PictureTimes, TileTimes, name_bits

_WAITING = 0.05
"""Share of wall time without a processor, from which on something else was running."""
_SCATTER = 0.10
"""Distance of the quartiles over the median; on a quiet machine it is 1 to 3 %."""


def find_warnings(
    engines: Sequence[EngineFacts], tiles: Sequence[TileTimes], pictures: Sequence[PictureTimes]
) -> list[str]:
    """Look at everything that was measured."""
    warnings = []
    alone: list[TileTimes | PictureTimes] = [
        *tiles,
        *(picture for picture in pictures if picture.workers == 1),
    ]
    wall, cpu = (sum(getattr(timed, clock).median for timed in alone) for clock in ("wall", "cpu"))
    waiting = 1 - cpu / wall if alone else 0
    if waiting > _WAITING:
        warnings.append(
            "the processors were busy with other work: wall time and processor time differ by "
            f"{waiting:.0%}; ratios are of processor time"
        )
    if scattered := [timed for timed in alone if timed.wall.relative > _SCATTER]:
        warnings.append(_describe_scatter(scattered, len(alone)))
    warnings += [_describe_crew(one) for one in pictures if _is_idle(one)]
    warnings += [_describe_engine(engine) for engine in engines if not engine.golden.holds]
    warnings += [
        f"{engine.name} was asked to run on {engine.accelerator_asked} and runs on "
        f"{engine.accelerator_used}"
        for engine in engines
        if engine.accelerator_used.partition(", ")[0] != engine.accelerator_asked
    ]
    return warnings


def _describe_scatter(scattered: Sequence[TileTimes | PictureTimes], of: int) -> str:
    worst = max(scattered, key=lambda timed: timed.wall.relative)
    what = "pictures" if isinstance(worst, PictureTimes) else "tiles"
    return (
        f"times scatter in {len(scattered)} of {of} rows: most of all {what} on {worst.engine}, "
        f"{name_bits(worst.bits)}, where the quartiles lie {worst.wall.relative:.0%} apart"
    )


def _is_idle(picture: PictureTimes) -> bool:
    used = picture.cpu.median / (picture.workers * picture.wall.median)
    return picture.workers > 1 and used < 1 - 2 * _WAITING


def _describe_crew(picture: PictureTimes) -> str:
    used = picture.cpu.median / (picture.workers * picture.wall.median)
    return (
        f"{picture.workers} workers on {picture.engine} had only {used:.0%} of as many processors: "
        "other work was running, or the pictures have too few tiles"
    )


def _describe_engine(engine: EngineFacts) -> str:
    found = engine.golden
    return (
        f"{engine.name} was not timed, because it does not compute what the bundle promises: "
        f"{found.beyond_one:.2%} of the samples of the golden tiles are more than one apart (at "
        f"most {found.largest}), {found.same_bit_width} of {found.tiles} bit-widths are the same"
    )
