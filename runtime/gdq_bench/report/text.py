"""The result as text for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from gdq_bench.measure.machine import MachineFacts
from gdq_bench.measure.statistics import Spread
from gdq_bench.protocol import BenchResult, PictureTimes, Sustained, TileTimes, name_bits
from gdq_bench.report.tables import align

Timed = TypeVar("Timed", bound=TileTimes | PictureTimes)

TILE_HEADER = ("engine", "bits", "ms", "quartiles", "cpu ms", "ratio")
GRAPHS = "Nodes that XNNPACK or an accelerator took"
GRAPH_HEADER = ("engine", "bits", "nodes", "taken", "partitions")
PICTURE_HEADER = (
    "engine", "bits", "workers", "s", "quartiles", "cpu s", "Mpixel/s", "FAB", "ms/tile", "PSNR",
    "loss", "ratio", "speedup",
)  # fmt: skip


def render_text(result: BenchResult) -> str:
    """Render the verdict, both tables, what they were measured on, and what to mind."""
    settings = result.settings
    lines = [
        f"{settings.bundle}: {settings.network} x{settings.scale}, profile {settings.profile}, "
        f"tiles of {settings.tile} pixels",
        describe_machine(result.machine),
        *(f"NOT VALID, {reason.kind}: {reason.sentence}" for reason in result.reasons),
        *([] if result.reasons else ["valid"]),
        "",
        f"one tile on one processor, medians of {settings.tile_rounds} rounds in turn",
        *align(list(tile_table(result)), words=2 + _clusters(result)),
        "",
        f"{describe_pictures(result)}, medians of {settings.picture_rounds} rounds in turn",
        *align(list(picture_table(result)), words=2 + _clusters(result)),
        *describe_graphs(result),
        *(line for curve in result.sustained for line in ("", *describe_sustained(curve))),
        "",
        describe_ratio(result),
        *(f"note: {note}" for note in result.notes),
        *(f"warning: {warning}" for warning in result.warnings),
    ]
    return "\n".join(lines)


def graph_table(result: BenchResult) -> list[tuple[str, ...]]:
    """Return how much of each graph was taken, the header first; empty where nobody tells."""
    rows = [
        (
            engine.name,
            name_bits(graph.bits),
            _unless_none(graph.nodes, "{}"),
            _unless_none(graph.accelerated_nodes, "{}"),
            _unless_none(graph.partitions, "{}"),
        )
        for engine in result.engines
        for graph in engine.graphs
        if graph.accelerated_nodes is not None
    ]
    return [GRAPH_HEADER, *rows] if rows else []


def describe_graphs(result: BenchResult) -> list[str]:
    """Show that table, below a sentence."""
    table = graph_table(result)
    return ["", GRAPHS[0].lower() + GRAPHS[1:], *align(table, words=2)] if table else []


def tile_table(result: BenchResult) -> Iterator[tuple[str, ...]]:
    """Yield the first table, its header first; with a column of clusters if there are any.

    Columns without a single entry are left out, such as PSNR where results stay on a phone.
    """
    return _add_clusters(result, TILE_HEADER, result.tiles, tile_row)


def picture_table(result: BenchResult) -> Iterator[tuple[str, ...]]:
    """Yield the second table, likewise."""
    return _add_clusters(result, PICTURE_HEADER, result.pictures, picture_row)


def _add_clusters(
    result: BenchResult,
    header: tuple[str, ...],
    timed: Sequence[Timed],
    row: Callable[[Timed], tuple[str, ...]],
) -> Iterator[tuple[str, ...]]:
    rows = [row(one) for one in timed]
    kept = [number for number in range(len(header)) if not rows or any(one[number] for one in rows)]
    clusters = [one.cluster or "" for one in timed]
    for cluster, cells in zip(["cluster", *clusters], [header, *rows], strict=True):
        first = (cluster,) if _clusters(result) else ()
        yield (*first, *(cells[number] for number in kept))


def _clusters(result: BenchResult) -> int:
    """Return how many columns of clusters there are."""
    return int(result.device is not None)


def heat_table(result: BenchResult) -> list[tuple[str, ...]]:
    """Return all readings of a phone's heat, the header first; empty on the host."""
    if not result.heat:
        return []
    header = (
        "",
        "s",
        "hottest",
        "battery",
        "status",
        "headroom",
        "GHz at most",
        "charge",
        "screen",
    )
    rows = [
        (
            one.when,
            f"{one.seconds:.0f}",
            _unless_none(max(one.zones.values(), default=None), "{:.0f} °C"),
            _unless_none(one.battery_temperature, "{:.0f} °C"),
            _unless_none(one.status, "{}"),
            _unless_none(one.headroom, "{:.2f}"),
            " ".join(f"{khz / 1e6:.2f}" for khz in one.max_frequency.values()),
            _unless_none(one.battery_level, "{} %") + (" charging" if one.is_charging else ""),
            {True: "on", False: "off", None: ""}[one.is_awake],
        )
        for one in result.heat
    ]
    return [header, *rows]


def describe_sustained(sustained: Sustained) -> list[str]:
    """Show the curve of a measurement without pauses, a line for each minute."""
    rows = [
        (
            f"minute {number}",
            f"{minute.megapixels_per_second:.3f}",
            _unless_none(max(minute.heat.zones.values(), default=None), "{:.0f} °C"),
            _unless_none(minute.heat.status, "status {}"),
            " ".join(f"{khz / 1e6:.2f}" for khz in minute.heat.max_frequency.values()),
        )
        for number, minute in enumerate(sustained.minutes, start=1)
    ]
    workers = "1 worker" if sustained.workers == 1 else f"{sustained.workers} workers"
    return [
        f"routed pictures without a pause on the cluster {sustained.cluster}, "
        f"{workers} on {sustained.engine}: the last minute has "
        f"{sustained.last_over_first:.0%} of the first one's speed; {_describe_energy(sustained)}",
        *align([("", "Mpixel/s", "hottest", "thermal", "GHz at most"), *rows], words=1),
    ]


def _describe_energy(sustained: Sustained) -> str:
    rails = sorted(sustained.rail_joules_per_megapixel.items(), key=lambda one: -one[1])
    told = [
        _unless_none(sustained.megapixels_per_percent, "{:.0f} megapixels per percent of battery"),
        _unless_none(sustained.joules_per_megapixel, "{:.2f} J per megapixel"),
        ", ".join(f"{joules:.2f} J per megapixel through {rail}" for rail, joules in rails[:3]),
        sustained.no_energy or "",
    ]
    return ", ".join(part for part in told if part)


def _unless_none(value: float | None, form: str) -> str:
    return "" if value is None else form.format(value)


def describe_machine(machine: MachineFacts) -> str:
    """Name the machine in one line."""
    libraries = "".join(f", {name} {version}" for name, version in machine.libraries.items())
    governor = "" if machine.governor is None else f", governor {machine.governor}"
    load = "" if machine.load is None else f", load {machine.load} before"
    python = "" if machine.python is None else f", Python {machine.python}"
    return (
        f"{machine.processor}, {machine.processors} processors ({' '.join(machine.flags)})"
        f"{governor}; {machine.system}{python}{libraries}{load}, {machine.date}"
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
        _unless_none(picture.psnr_y, "{:.2f}"),
        "" if picture.loss_db is None else f"{picture.loss_db:.3f}",
        _ratio(picture.ratio),
        _ratio(picture.speedup),
    )


def _quartiles(spread: Spread, factor: float) -> str:
    return f"{factor * spread.lower:.3f}..{factor * spread.upper:.3f}"


def _ratio(spread: Spread | None) -> str:
    return "" if spread is None else f"{spread.median:.3f}"
