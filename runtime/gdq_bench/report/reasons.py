"""Why a measurement is not valid: what makes its times worthless, whatever they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gdq_bench.protocol import Cluster, EngineFacts, Heat, PictureTimes, Reason, TileTimes

FEWEST_ROUNDS = 5
_WAITING = 0.05
"""Share of wall time without a processor, from which on something else was running."""
_MOVED = 0.05
"""Largest change of the clock between rounds, of its fastest."""
_THROTTLING = 1
"""Lowest thermal status at which Android slows down (THERMAL_STATUS_LIGHT)."""


@dataclass(frozen=True)
class Held:
    """Where the rounds of a cluster ran.

    Attributes:
        cluster: where they should.
        cores: every core that a worker was seen on.
        migrated: rounds in which a worker changed its core.
        frequencies: kHz of the workers' cores, where readable.

    """

    cluster: Cluster
    cores: frozenset[int] = frozenset()
    migrated: int = 0
    frequencies: Sequence[int] = field(default_factory=tuple)


def find_engine_reasons(engines: Iterable[EngineFacts]) -> list[Reason]:
    """Judge what engines computed, and what they ran on."""
    reasons = []
    for engine in engines:
        if not engine.golden.holds:
            sentence = f"{engine.name} does not compute what the bundle promises, and has no times"
            reasons.append(Reason(kind="wrong outputs", sentence=sentence))
        asked, used = engine.accelerator_asked, engine.accelerator_used
        if asked.lower() not in ("cpu", used.partition(", ")[0].lower()):
            sentence = f"{engine.name} was asked to run on {asked} and ran on {used}"
            reasons.append(Reason(kind="fell back", sentence=sentence))
    return reasons


def find_heat_reasons(clusters: Sequence[Cluster], readings: Sequence[Heat]) -> list[Reason]:
    """Judge how hot the device became, and what else it did."""
    reasons = []
    slowed = [one for one in readings if (one.status or 0) >= _THROTTLING]
    if slowed:
        worst = max(one.status or 0 for one in slowed)
        sentence = (
            f"thermal status was {worst} in {len(slowed)} of {len(readings)} readings, first "
            f"{slowed[0].when}: let it cool, without a case"
        )
        reasons.append(Reason(kind="throttled", sentence=sentence))
    if (capped := _find_cap(clusters, readings)) is not None:
        reasons.append(Reason(kind="throttled", sentence=capped))
    awake = sum(one.is_awake is True for one in readings)
    if awake:
        sentence = f"the screen was on in {awake} of {len(readings)} readings: turn it off"
        reasons.append(Reason(kind="load", sentence=sentence))
    return reasons


def _find_cap(clusters: Sequence[Cluster], readings: Sequence[Heat]) -> str | None:
    """Say by how much the clock was capped at worst."""
    caps = [
        (reading.max_frequency[cluster.cores[0]] / cluster.max_frequency, cluster, reading)
        for cluster in clusters
        for reading in readings
        if cluster.max_frequency and cluster.cores[0] in reading.max_frequency
    ]
    share, cluster, reading = min(caps, key=lambda cap: cap[0], default=(1.0, None, None))
    if cluster is None or reading is None or share >= 1:
        return None
    return (
        f"the clock of the cluster {cluster.name} was capped to {share:.0%} {reading.when}: let it "
        "cool, and turn off power saving"
    )


def find_core_reasons(held: Iterable[Held]) -> list[Reason]:
    """Judge where the rounds ran, and how fast the clock was."""
    reasons = []
    for one in held:
        name = one.cluster.name
        outside = sorted(one.cores - set(one.cluster.cores))
        if outside:
            cores = ", ".join(map(str, outside))
            sentence = f"rounds for the cluster {name} ran on core {cores}, which is not of it"
            reasons.append(Reason(kind="migrated", sentence=sentence))
        if one.migrated:
            sentence = f"workers on the cluster {name} changed their core in {one.migrated} rounds"
            reasons.append(Reason(kind="migrated", sentence=sentence))
        slowest, fastest = min(one.frequencies, default=1), max(one.frequencies, default=1)
        if slowest < (1 - _MOVED) * fastest:
            sentence = (
                f"the clock of the cluster {name} moved between {slowest / 1e6:.2f} and "
                f"{fastest / 1e6:.2f} GHz"
            )
            reasons.append(Reason(kind="frequency moved", sentence=sentence))
    return reasons


def find_time_reasons(tiles: Sequence[TileTimes], pictures: Sequence[PictureTimes]) -> list[Reason]:
    """Judge the times themselves."""
    reasons = []
    timed: list[TileTimes | PictureTimes] = [*tiles, *pictures]
    fewest = min((len(one.rounds) for one in timed), default=FEWEST_ROUNDS)
    if fewest < FEWEST_ROUNDS:
        found = "1 round" if fewest == 1 else f"{fewest} rounds"
        sentence = f"a row has {found}, and {FEWEST_ROUNDS} are needed: raise --repeats"
        reasons.append(Reason(kind="too few rounds", sentence=sentence))
    alone = [one for one in timed if not isinstance(one, PictureTimes) or one.workers == 1]
    wall, cpu = (sum(getattr(one, clock).median for one in alone) for clock in ("wall", "cpu"))
    if alone and 1 - cpu / wall > _WAITING:
        sentence = (
            f"other programs took {1 - cpu / wall:.0%} of the processor's time: close them, and "
            "turn on flight mode"
        )
        reasons.append(Reason(kind="load", sentence=sentence))
    return reasons
