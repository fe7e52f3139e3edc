"""Both networks on all cores, our engine beside LiteRT and ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

from gdq_bench.protocol import Facts, Result
from gdq_bench.suite.arm_cycles.bars import judge
from gdq_bench.suite.arm_cycles.cores import CORES
from gdq_bench.suite.arm_cycles.measure import OWN, PREDICTOR, TileCycles, measure_tile
from gdq_bench.suite.arm_cycles.networks import NETWORKS, find_bundle, set_up_machine
from gdq_bench.suite.subjects import Subjects
from gdq_core.cli.errors import say
from gdq_devices.emulated.llvm import Llvm
from gdq_devices.emulated.machine import Machine
from gdq_devices.errors import UnavailableError

_OTHERS = ("litert", "onnxruntime")
_THEIR_WIDTH = "8"
"""Other engines take as long at every bit-width: they compute in int8."""


def measure(subjects: Subjects) -> list[Result]:
    """Weigh a tile of every network on every core; nothing where there is no emulated machine."""
    try:
        machine, llvm = set_up_machine(_say)
    except UnavailableError as reason:
        say(f"skipped: {reason}")
        return []
    widths = ("4", "8") if subjects.quick else ("4", "5", "6", "8", PREDICTOR)
    results = []
    for network in ("mobile",) if subjects.quick else NETWORKS:
        bundle = find_bundle(machine, network, _say)
        for core in ("a76",) if subjects.quick else CORES:
            _say(f"{network} on {core}")
            ours = measure_tile(machine, llvm, CORES[core], bundle, OWN, widths)
            others = {} if subjects.quick else _measure_others(machine, llvm, core, bundle)
            results += _judge(network, core, ours, others)
    return results


def _measure_others(machine: Machine, llvm: Llvm, core: str, bundle: Path) -> dict[str, float]:
    return {
        engine: measure_tile(machine, llvm, CORES[core], bundle, engine, [_THEIR_WIDTH])[0].cycles
        for engine in _OTHERS
    }


def _judge(
    network: str, core: str, ours: list[TileCycles], others: dict[str, float]
) -> list[Result]:
    tiles = {int(one.what): one.cycles for one in ours if one.what != PREDICTOR}
    results = judge(network, core, tiles, others.get("litert"))
    return [result.model_copy(update={"facts": _facts(ours, others)}) for result in results]


def _facts(ours: list[TileCycles], others: dict[str, float]) -> Facts:
    """Return everything that was measured, millions of cycles."""
    facts: Facts = {}
    for one in ours:
        facts[one.what] = round(one.cycles / 1e6, 2)
        facts |= {f"{one.what}, {part}": round(n / 1e6, 2) for part, n in one.parts.items()}
    return facts | {engine: round(cycles / 1e6, 2) for engine, cycles in others.items()}


def _say(line: str) -> None:
    say(f"{line} ...")
