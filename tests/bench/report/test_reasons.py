from __future__ import annotations

import pytest

from bench.made_up import CLUSTERS, engine_facts, heat, picture, tile
from gdq_bench.protocol import Heat, Reason
from gdq_bench.report.reasons import (
    Held,
    find_core_reasons,
    find_engine_reasons,
    find_heat_reasons,
    find_time_reasons,
)

LITTLE, BIG = CLUSTERS


def kinds(reasons: list[Reason]) -> list[str]:
    return [reason.kind for reason in reasons]


def test_cool_and_quiet_is_valid() -> None:
    assert find_heat_reasons(CLUSTERS, [heat(), heat()]) == []
    assert find_core_reasons([Held(BIG, frozenset({6, 7}), 0, [2850000, 2800000])]) == []
    assert find_engine_reasons([engine_facts()]) == []
    assert find_time_reasons([tile()], [picture(), picture(workers=4, wall=1, cpu=2)]) == []


def test_thermal_status() -> None:
    readings = [heat(), heat("before pictures on big", status=2), heat(status=1)]
    (reason,) = find_heat_reasons(CLUSTERS, readings)
    assert reason.kind == "throttled"
    assert reason.sentence.startswith(
        "thermal status was 2 in 2 of 3 readings, first before pictures on big"
    )


def test_a_capped_clock() -> None:
    (reason,) = find_heat_reasons(CLUSTERS, [heat(max_frequency={0: 1803000, 6: 1282500})])
    assert reason.sentence.startswith("the clock of the cluster big was capped to 45% before tiles")
    assert find_heat_reasons([LITTLE], [heat(max_frequency={6: 1282500})]) == []


def test_the_screen() -> None:
    (reason,) = find_heat_reasons(CLUSTERS, [heat(), heat(is_awake=True)])
    assert (reason.kind, reason.sentence) == (
        "load",
        "the screen was on in 1 of 2 readings: turn it off",
    )


@pytest.mark.parametrize("reading", [heat(status=None, max_frequency={}, is_awake=None)])
def test_what_cannot_be_read_is_no_reason(reading: Heat) -> None:
    assert find_heat_reasons(CLUSTERS, [reading]) == []


@pytest.mark.parametrize(
    ("held", "kind", "part"),
    [
        (Held(BIG, frozenset({3, 6})), "migrated", "ran on core 3, which is not of it"),
        (Held(BIG, frozenset({6}), migrated=2), "migrated", "changed their core in 2 rounds"),
        (Held(BIG, frozenset({6}), 0, [2000000, 2850000]), "frequency moved", "2.00 and 2.85 GHz"),
    ],
)
def test_cores(held: Held, kind: str, part: str) -> None:
    (reason,) = find_core_reasons([held])
    assert reason.kind == kind
    assert part in reason.sentence


def test_engines() -> None:
    wrong = engine_facts(beyond_one=0.5)
    fell = engine_facts(used="XNNPACK").model_copy(update={"accelerator_asked": "nnapi"})
    assert kinds(find_engine_reasons([wrong, fell])) == ["wrong outputs", "fell back"]
    # Which of its own kernels an engine takes on the CPU is no falling back.
    assert find_engine_reasons([engine_facts(used="XNNPACK")]) == []


def test_times() -> None:
    few = tile().model_copy(update={"rounds": tile().rounds[:4]})
    busy = tile(wall=0.03)
    assert kinds(find_time_reasons([few], [])) == ["too few rounds"]
    (reason,) = find_time_reasons([busy], [])
    assert reason.kind == "load"
    assert "took 33% of the processor's time" in reason.sentence
    assert find_time_reasons([], []) == []
