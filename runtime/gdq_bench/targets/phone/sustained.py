"""The curve of a measurement without pauses: speed, heat and energy, minute by minute."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from gdq_bench.native.lines import RoundLine
from gdq_bench.protocol import Cluster, Heat, Minute, PictureSize, Sustained
from gdq_bench.targets.phone.journal import Journal
from gdq_bench.targets.phone.session import during

_MINUTE = 60e9
"""Nanoseconds."""
_JOULES = 3600e-9
"""Of a microampere hour at a millivolt."""


def summarise_sustained(
    journal: Journal, clusters: Sequence[Cluster], picture: PictureSize
) -> list[Sustained]:
    """Draw a curve for each cluster that worked without a pause to the end."""
    curves = []
    for cluster in clusters:
        ended = [batch for batch in journal.select(cluster.name, "sustained") if batch.has_ended]
        rounds = ended[-1].rounds() if ended else []
        when = during(cluster.name)
        heat = [Heat(**one) for one in journal.heat if one["when"] == when]
        if rounds and heat:
            curves.append(draw_curve(cluster.name, rounds, heat, picture))
    return curves


def draw_curve(
    cluster: str, rounds: Sequence[RoundLine], heat: Sequence[Heat], picture: PictureSize
) -> Sustained:
    """Draw the curve of one cluster.

    Args:
        cluster: its name.
        rounds: lines of the program, at least one, all of one engine and one way.
        heat: at the beginning of each minute, and later; at least one.
        picture: that each round makes.

    """
    megapixels = picture.width * picture.height / 1e6
    by_minute: defaultdict[int, list[float]] = defaultdict(list)
    for line in rounds:
        minute = int((line.at_ns - rounds[0].at_ns) // _MINUTE)
        by_minute[minute].append(line.wall_ns / 1e9)
    minutes = [
        Minute(
            megapixels_per_second=megapixels * len(walls) / sum(walls),
            heat=heat[min(minute + 1, len(heat) - 1)],
        )
        for minute, walls in sorted(by_minute.items())
    ]
    # The first reading is made when the program starts, the last one before it ends.
    metered = (heat[-1].seconds - heat[0].seconds) * 1e9
    done = megapixels * sum(line.at_ns + line.wall_ns <= metered for line in rounds)
    per_percent, joules, reason = _measure_energy(heat[0], heat[-1], done)
    speeds = [minute.megapixels_per_second for minute in minutes]
    return Sustained(
        cluster=cluster,
        engine=rounds[0].engine,
        workers=rounds[0].workers,
        minutes=minutes,
        last_over_first=speeds[-1] / speeds[0],
        megapixels_per_percent=per_percent,
        joules_per_megapixel=joules,
        no_energy=reason,
        rail_joules_per_megapixel=_measure_rails(heat[0].rails, heat[-1].rails, done),
    )


def _measure_energy(
    first: Heat, last: Heat, megapixels: float
) -> tuple[float | None, float | None, str | None]:
    """Return megapixels per percent, joules per megapixel, and why either is None."""
    if first.is_charging or last.is_charging:
        return None, None, "no energy: the battery is charged over the cable"
    if not megapixels:
        return None, None, "no energy: it takes more than a minute to tell it"
    percent = joules = None
    if first.battery_level is not None and last.battery_level is not None:
        fell = first.battery_level - last.battery_level
        percent = megapixels / fell if fell > 0 else None
    if first.charge is not None and last.charge is not None and first.voltage is not None:
        used = (first.charge - last.charge) * first.voltage * _JOULES
        joules = used / megapixels if used > 0 else None
    missing = percent is None or joules is None
    reason = "no energy: the battery's level or counter did not fall, or is not told"
    return percent, joules, reason if missing else None


def _measure_rails(
    first: dict[str, int], last: dict[str, int], megapixels: float
) -> dict[str, float]:
    """Return joules per megapixel of each rail that was used, by name."""
    return {
        rail: (energy - first[rail]) / 1e6 / megapixels
        for rail, energy in sorted(last.items())
        if megapixels and energy > first.get(rail, energy)
    }
