"""Whether the engine takes the fastest kernel for each layer, on models of ARM processors."""

from __future__ import annotations

from collections.abc import Sequence

from gdq_bench.protocol import Result
from gdq_bench.suite.arm_cycles.cores import CORES
from gdq_bench.suite.arm_cycles.layers import LayerCycles, measure_layers
from gdq_bench.suite.arm_cycles.networks import set_up_machine
from gdq_bench.suite.subjects import Subjects
from gdq_core.bit_widths import BIT_WIDTHS
from gdq_core.cli.errors import say
from gdq_devices.errors import UnavailableError

_CORES = {"dotprod": ("a76", "a55"), "i8mm": ("a710",)}
"""Instruction set -> what runs it. The A53 has one kernel, and so nothing to choose."""
_CHANNELS = (16, 32, 48, 64, 128)
_SIDE = 48
"""Of the map: whole tiles of every kernel, and whole blocks of them."""
_BAR = 1.03
"""Models tell nothing about kernels that are nearer to each other."""


def measure(subjects: Subjects) -> list[Result]:
    """Weigh a layer by every kernel; nothing where there is no emulated machine."""
    try:
        machine, llvm = set_up_machine(lambda line: say(f"{line} ..."))
    except UnavailableError as reason:
        say(f"skipped: {reason}")
        return []
    results = []
    for isa, cores in _CORES.items():
        for channels in (32,) if subjects.quick else _CHANNELS:
            models = [CORES[core] for core in cores]
            measured = measure_layers(machine, llvm, models, isa, channels, _SIDE)
            for core, layers in zip(cores, measured, strict=True):
                results += judge(f"{channels} channels on {core}", layers)
    return results


def judge(shape: str, layers: Sequence[LayerCycles]) -> list[Result]:
    """Compare the chosen kernel with the fastest one that is exact, at every width.

    Args:
        shape: of the layer, for the results' names.
        layers: of this shape, by each kernel.

    """
    results = []
    for bits in BIT_WIDTHS:
        exact = [layer for layer in layers if bits <= layer.largest_bits]
        chosen = next(layer for layer in exact if bits in layer.chosen_at)
        fastest = min(exact, key=lambda layer: layer.cycles)
        results.append(
            Result(
                name=f"{shape}, {bits} bits: {chosen.kernel}, fastest {fastest.kernel}",
                value=chosen.cycles / fastest.cycles,
                unit="ratio",
                bar=_BAR,
                facts={layer.kernel: round(layer.cycles / 1e6, 2) for layer in exact},
            )
        )
    return results
