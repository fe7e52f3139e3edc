from __future__ import annotations

from gdq_bench.suite.arm_cycles.bars import BARS, judge
from gdq_bench.suite.arm_cycles.cores import CORES
from gdq_bench.suite.arm_cycles.networks import NETWORKS


def test_bars_are_of_networks_and_cores_that_are_measured() -> None:
    assert {network for network, _ in BARS} == set(NETWORKS)
    assert {core for _, core in BARS} <= set(CORES)


def test_cycles_ladder_and_lead_are_judged() -> None:
    results = judge("mobile", "a76", {4: 40e6, 8: 50e6}, litert=80e6)
    assert [(one.value, one.is_reached) for one in results] == [
        (40, False), (50, True), (1.25, False), (2, False),
    ]  # fmt: skip


def test_what_was_not_measured_is_not_judged() -> None:
    assert [one.value for one in judge("mobile", "a76", {8: 50e6}, litert=None)] == [50]
    assert judge("baseline", "a53", {4: 50e6}, litert=80e6) == []
