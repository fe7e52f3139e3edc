"""The result as text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from gdq_bench.measure.machine import MachineFacts
from gdq_bench.measure.statistics import Spread
from gdq_bench.protocol import BenchResult, PictureTimes, TileTimes, name_bits

TILE_HEADER = ("engine", "bits", "ms", "quartiles", "cpu ms", "ratio")
PICTURE_HEADER = (
    "engine", "bits", "workers", "s", "quartiles", "cpu s", "Mpixel/s", "FAB", "ms/tile", "PSNR",
    "loss", "ratio", "speedup",
)  # fmt: skip


def render_text(result: BenchResult) -> str:
    """Render both tables, what they were measured on, and what to mind."""
    settings = result.settings
    lines = [
        f"{settings.bundle}: {settings.network} x{settings.scale}, profile {settings.profile}, "
        f"tiles of {settings.tile} pixels",
        describe_machine(result.machine),
        "",
        f"one tile on one processor, medians of {settings.tile_rounds} rounds in turn",
        *_align([TILE_HEADER, *map(tile_row, result.tiles)]),
        "",
        f"{describe_pictures(result)}, medians of {settings.picture_rounds} rounds in turn",
        *_align([PICTURE_HEADER, *map(picture_row, result.pictures)]),
        "",
        describe_ratio(result),
        *(f"note: {note}" for note in result.notes),
        *(f"warning: {warning}" for warning in result.warnings),
    ]
    return "\n".join(lines)


def describe_machine(machine: MachineFacts) -> str:
    """Name the machine in one line."""
    libraries = ", ".join(f"{name} {version}" for name, version in machine.libraries.items())
    governor = "" if machine.governor is None else f", governor {machine.governor}"
    load = "" if machine.load is None else f", load {machine.load} before"
    return (
        f"{machine.processor}, {machine.processors} processors ({' '.join(machine.flags)})"
        f"{governor}; {machine.system}, Python {machine.python}, {libraries}{load}, {machine.date}"
    )


def describe_pictures(result: BenchResult) -> str:
    """Say how many pictures there were and how large they became."""
    sizes = result.settings.pictures
    megapixels = sum(size.width * size.height for size in sizes) / 1e6
    count = "1 picture" if len(sizes) == 1 else f"{len(sizes)} pictures"
    return f"{result.settings.data}: {count}, {megapixels:.1f} megapixels when upscaled"


def describe_ratio(result: BenchResult) -> str:
    """Say what the ratios are of."""
    if result.baseline is None:
        return "no ratios: onnxruntime at 8 bits, which they are taken of, is not among the engines"
    return (
        f"ratio: processor time over that of {result.baseline}, in the same round; below 1 is "
        "faster. speedup: wall time of one worker over two"
    )


def tile_row(tile: TileTimes) -> tuple[str, ...]:
    """Return one line of the first table."""
    return (
        tile.engine,
        name_bits(tile.bits),
        f"{1e3 * tile.wall.median:.3f}",
        _quartiles(tile.wall, 1e3),
        f"{1e3 * tile.cpu.median:.3f}",
        _ratio(tile.ratio),
    )


def picture_row(picture: PictureTimes) -> tuple[str, ...]:
    """Return one line of the second table."""
    return (
        picture.engine,
        name_bits(picture.bits),
        str(picture.workers),
        f"{picture.wall.median:.3f}",
        _quartiles(picture.wall, 1),
        f"{picture.cpu.median:.3f}",
        f"{picture.megapixels_per_second:.3f}",
        f"{picture.fab:.2f}",
        f"{picture.milliseconds_per_tile:.2f}",
        f"{picture.psnr_y:.2f}",
        "" if picture.loss_db is None else f"{picture.loss_db:.3f}",
        _ratio(picture.ratio),
        _ratio(picture.speedup),
    )


def _quartiles(spread: Spread, factor: float) -> str:
    return f"{factor * spread.lower:.3f}..{factor * spread.upper:.3f}"


def _ratio(spread: Spread | None) -> str:
    return "" if spread is None else f"{spread.median:.3f}"


def _align(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Align columns: the first two, of words, to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if number < 2 else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
