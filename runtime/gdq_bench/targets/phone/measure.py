"""One phone, from its facts to its result."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from gdq_bench.measure.machine import MachineFacts, known_flags, now
from gdq_bench.native.lines import EngineLine
from gdq_bench.protocol import (
    BASELINE_BITS,
    BASELINE_ENGINE,
    BenchResult,
    DeviceFacts,
    Heat,
    Reason,
    Settings,
    name_bits,
)
from gdq_bench.protocol import Cluster as ClusterFacts
from gdq_bench.report.reasons import (
    find_core_reasons,
    find_engine_reasons,
    find_heat_reasons,
    find_time_reasons,
)
from gdq_bench.report.verdict import find_warnings
from gdq_bench.targets.phone.inputs import PhoneInputs
from gdq_bench.targets.phone.journal import Journal, forget, open_journal
from gdq_bench.targets.phone.session import PROGRAM, Batch, Patience, Session
from gdq_bench.targets.phone.summary import (
    find_held,
    select,
    summarise_engines,
    summarise_pictures,
    summarise_tiles,
)
from gdq_bench.targets.phone.sustained import summarise_sustained
from gdq_core.errors import RequestError
from gdq_devices.adb.client import Client
from gdq_devices.adb.facts import Cluster, Facts, ask_facts
from gdq_devices.adb.folder import try_to_remove
from gdq_devices.adb.shell import Shell
from gdq_runtime.bundle.manifest import Manifest

TILE_ROUNDS = 8
"""Rounds of single tiles for each round of whole pictures; so many between two readings of heat."""
_PICTURE_ROUNDS = 3
"""Of whole pictures, between two readings of heat."""
_ABI = "arm64-v8a"


@dataclass(frozen=True)
class PhonePlan:
    """What to measure on each phone.

    Attributes:
        cores: "all" for each cluster in turn, the name of one, or a hexadecimal mask.
        repeats: rounds of whole pictures, at least 1.
        sustained: seconds without a pause; None: not.
        patience: how long to wait for a phone.

    """

    cores: str
    repeats: int
    sustained: float | None
    patience: Patience


def measure_phone(
    client: Client,
    serial: str,
    plan: PhonePlan,
    inputs: PhoneInputs,
    settings: Settings,
    manifest: Manifest,
    say: Callable[[str], None],
) -> BenchResult:
    """Measure on one phone; nothing stays on it.

    Raises:
        UnusableError: it cannot be measured on.
        LostError: it went away before anything was measured.
        ProgramError: its disk is full, or the program gets stuck.
        RequestError: it has no such cores, or another process measures on it.
        Stopped: somebody asked for it; what was measured is kept.

    """
    shell = Shell(client, serial)
    facts = ask_facts(shell)
    if _ABI not in facts.abis:
        raise RequestError(f"{serial} runs no {_ABI} programs: choose another device")
    clusters = choose_clusters(facts, plan.cores)
    with open_journal(serial, _key(plan, inputs, clusters)) as journal:
        if done := sum(batch.count() for batch in journal.batches):
            say(f"going on where an earlier run stopped: {done} rounds are done")
        session = Session(shell, inputs.files, journal, plan.patience, say)
        try:
            session.measure(plan_batches(plan, facts, clusters, inputs))
        finally:
            # Also after Ctrl-C: a client that nobody has asked to stop.
            fresh = Shell(replace(client, stop=threading.Event()), serial)
            if (left := try_to_remove(fresh)) is not None:
                say(left)
                session.notes.append(left)
        result = _make_result(facts, clusters, session, inputs, settings, manifest)
    if session.lost is None and session.killed is None:
        forget(serial)
    return result


def choose_clusters(facts: Facts, cores: str) -> tuple[Cluster, ...]:
    """Return the clusters that are meant.

    Args:
        facts: of the phone.
        cores: "all" for each, the name of one, or a hexadecimal mask.

    Raises:
        RequestError: there are no such cores.

    """
    if cores == "all":
        return facts.clusters
    named = tuple(one for one in facts.clusters if one.name == cores)
    if named:
        return named
    known = {core: one for one in facts.clusters for core in one.cores}
    if re.fullmatch(r"(0x)?[0-9a-fA-F]{1,16}", cores):
        mask = int(cores, 16)
        chosen = tuple(core for core in range(mask.bit_length()) if mask >> core & 1)
        if chosen and set(chosen) <= known.keys():
            weakest = known[chosen[0]]
            return (replace(weakest, name=f"0x{mask:x}", cores=chosen),)
    names = ", ".join(f"{one.name} ({one.mask})" for one in facts.clusters)
    raise RequestError(f"{facts.serial} has no cores {cores!r}: it has {names}")


def plan_batches(
    plan: PhonePlan, facts: Facts, clusters: Sequence[Cluster], inputs: PhoneInputs
) -> list[Batch]:
    """Say what has to be run: for each cluster tiles, then pictures, then without a pause."""
    widths = ",".join(map(str, inputs.bit_widths))
    extremes = ",".join(map(str, sorted({inputs.bit_widths[0], inputs.bit_widths[-1]})))
    picture = ["--picture", "picture.ppm", "--plan", "picture.plan"]
    batches = []
    for cluster in clusters:
        # An emulated phone has the cores of this computer, not those that it tells of.
        held = [] if facts.is_emulated else ["--affinity", cluster.mask]
        most = 1 if facts.is_emulated else len(cluster.cores)
        common = [*inputs.engines, "--tiles", "tiles", *held]
        workers = ",".join(map(str, sorted({1, most})))
        tiles = [*common, "--bits", widths]
        pictures = [*common, *picture, "--bits", extremes, "--workers", workers]
        rounds = plan.repeats
        batches.append(Batch(cluster, "tiles", TILE_ROUNDS * rounds, TILE_ROUNDS, tiles))
        batches.append(Batch(cluster, "pictures", rounds, _PICTURE_ROUNDS, pictures))
        if plan.sustained is not None:
            ours = ["model.gdq", "--tiles", "tiles", *held, *picture, "--workers", str(most)]
            ours += ["--duration", f"{plan.sustained:g}"]
            batches.append(Batch(cluster, "sustained", 1, 1, ours, plan.sustained))
    return batches


def _key(plan: PhonePlan, inputs: PhoneInputs, clusters: Sequence[Cluster]) -> str:
    """Return what differs if anything else is to be measured."""
    content = [
        plan.repeats, plan.sustained, inputs.engines, [asdict(one) for one in clusters],
        inputs.digest,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _make_result(
    facts: Facts,
    clusters: Sequence[Cluster],
    session: Session,
    inputs: PhoneInputs,
    settings: Settings,
    manifest: Manifest,
) -> BenchResult:
    journal = session.journal
    measured = [ClusterFacts(**asdict(one)) for one in clusters]
    engines = summarise_engines(journal, manifest)
    tiles = summarise_tiles(journal, measured)
    pictures = summarise_pictures(journal, measured, inputs)
    heat = [Heat(**one) for one in journal.heat]
    has_baseline = any((one.engine, one.bits) == (BASELINE_ENGINE, BASELINE_BITS) for one in tiles)
    return BenchResult(
        target="adb",
        emulated=facts.is_emulated,
        machine=_describe_machine(facts, journal),
        device=_describe_device(facts, measured, inputs),
        settings=settings,
        engines=engines,
        baseline=f"{BASELINE_ENGINE}, {name_bits(BASELINE_BITS)}" if has_baseline else None,
        tiles=tiles,
        pictures=pictures,
        sustained=summarise_sustained(journal, measured, inputs.picture),
        heat=heat,
        reasons=[
            *_find_session_reasons(facts, session),
            *find_engine_reasons(engines),
            *find_heat_reasons(measured, heat),
            *([] if facts.is_emulated else find_core_reasons(find_held(journal, measured))),
            *find_time_reasons(tiles, pictures),
        ],
        warnings=find_warnings(engines, tiles, pictures),
        notes=session.notes,
    )


def _find_session_reasons(facts: Facts, session: Session) -> list[Reason]:
    reasons = []
    if facts.is_emulated:
        sentence = "an emulated processor: its times mean nothing, and where rounds ran is not told"
        reasons.append(Reason(kind="emulated", sentence=sentence))
    if session.lost is not None:
        reasons.append(Reason(kind="cable lost", sentence=session.lost))
    if session.killed is not None:
        reasons.append(Reason(kind="killed", sentence=session.killed))
    return reasons


def _describe_machine(facts: Facts, journal: Journal) -> MachineFacts:
    versions = {line.engine: line.version for line in select(journal.batches, EngineLine)}
    return MachineFacts(
        processor=f"{facts.model}, {facts.soc}" + (" (emulated)" if facts.is_emulated else ""),
        flags=known_flags(facts.features),
        processors=sum(len(one.cores) for one in facts.clusters),
        system=f"{facts.android}, Linux {facts.kernel}",
        python=None,
        libraries=versions,
        governor=None,
        load=None,
        date=now(),
    )


def _describe_device(
    facts: Facts, measured: Sequence[ClusterFacts], inputs: PhoneInputs
) -> DeviceFacts:
    return DeviceFacts(
        serial=facts.serial,
        model=facts.model,
        soc=facts.soc,
        android=facts.android,
        api=facts.api,
        abi=_ABI,
        build=facts.build,
        program=_digest(inputs.files[PROGRAM]),
        clusters=[ClusterFacts(**asdict(one)) for one in facts.clusters],
        measured=[one.name for one in measured],
    )


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
