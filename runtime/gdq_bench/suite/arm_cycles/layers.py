"""Single layers of the body on an emulated processor, by each kernel that it has."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from gdq_bench.suite.arm_cycles.cores import Core
from gdq_devices.emulated.llvm import Llvm
from gdq_devices.emulated.machine import Machine
from gdq_devices.emulated.trace import NativeProgram, Trace, trace_native

_LONGEST_RUN = 600.0
_LINE = re.compile(r"^(\w+) +\d+ channels: .* up to (\d) bits, chosen at(.*)$", re.MULTILINE)
"""What bench_layers prints of each kernel."""
_SPANS = 4
"""Of each kernel: one kind of layer, up to the other kind, the other, up to the next kernel."""


@dataclass(frozen=True)
class LayerCycles:
    """A body layer of one shape by one kernel.

    Attributes:
        kernel: its name in the engine.
        largest_bits: of codes that it is exact for.
        chosen_at: bit-widths of codes that the engine takes it for.
        cycles: of a layer from codes to codes and one from codes to a stream and codes, together.

    """

    kernel: str
    largest_bits: int
    chosen_at: frozenset[int]
    cycles: float


def measure_layers(
    machine: Machine,
    llvm: Llvm,
    cores: Sequence[Core],
    instruction_set: str,
    channels: int,
    side: int,
) -> list[list[LayerCycles]]:
    """Run one layer by every kernel of an instruction set, and weigh it on some processors.

    Args:
        machine: set up.
        llvm: weighs blocks.
        cores: processors that run the same instructions; the first one is emulated.
        instruction_set: the engine's name of it.
        channels: in and out.
        side: of the square map, pixels.

    Returns:
        Of each processor, each kernel.

    Raises:
        ProgramError: the program, qemu or LLVM fails.

    """
    file = machine.engine / "bench/bench_layers"
    kernels = [one for one in llvm.functions(file) if f"gdq::{instruction_set}::" in one.name]
    code = min(one.start for one in kernels), max(one.end for one in kernels)
    program = NativeProgram(machine, cores[0].cpu, file, code, _LONGEST_RUN)
    traced, printed = trace_native(program, instruction_set, str(channels), str(side), "1")
    return [_read(printed, _weigh(llvm, core.model, traced)) for core in cores]


def _read(printed: str, cycles: Sequence[float]) -> list[LayerCycles]:
    """Join what the program printed with the cycles of its spans."""
    return [
        LayerCycles(
            name,
            int(largest),
            frozenset(map(int, chosen.split())),
            sum(cycles[number * _SPANS : number * _SPANS + 3 : 2]),
        )
        for number, (name, largest, chosen) in enumerate(_LINE.findall(printed))
    ]


def _weigh(llvm: Llvm, model: str, traced: Trace) -> Sequence[float]:
    """Return the cycles of each span."""
    blocks = list(traced.blocks)
    texts = iter(llvm.disassemble([one for block in blocks for one in traced.blocks[block]]))
    bodies = [[next(texts) for _ in traced.blocks[block]] for block in blocks]
    costs = dict(zip(blocks, llvm.cycles(model, bodies), strict=True))
    return [_total(span, costs) for span in traced.spans]


def _total(span: Counter[tuple[str, int]], costs: dict[int, float]) -> float:
    return sum(count * costs[block] for (_, block), count in span.items())
