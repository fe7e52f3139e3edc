"""One tile on an emulated processor: its blocks, weighed and attributed to parts of the network."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gdq_bench.suite.arm_cycles.cores import Core
from gdq_bench.suite.arm_cycles.parts import part_of, stages_of
from gdq_devices.emulated.llvm import Llvm
from gdq_devices.emulated.machine import Machine
from gdq_devices.emulated.trace import Libraries, Program, StageOf, Trace, trace

OWN, PREDICTOR = "gdq", "predictor"
_LIBRARIES = {
    OWN: ("libgdq_engine", "libc.so"),
    "litert": ("libpywrap_litert_common", "libc.so"),
    "onnxruntime": ("onnxruntime_pybind11_state", "libc.so"),
}
ENGINES = tuple(_LIBRARIES)

_PROGRAM = Path(__file__).with_name("emulated_tile.py")
_PACKAGES = Path(__file__).resolve().parents[3]
_LONGEST_RUN = 3600.0
_NEGLIGIBLE = 3e-4
"""Share of a span's instructions up to which a block is not weighed by itself: it gets the mean."""


@dataclass(frozen=True)
class Block:
    """A block of instructions within a tile.

    Attributes:
        cycles: all its executions.
        executions: how many.
        instructions: as text.
        function: that it lies in, as it was linked; "" if unknown.

    """

    cycles: float
    executions: int
    instructions: tuple[str, ...]
    function: str


@dataclass(frozen=True)
class TileCycles:
    """What one tile, or the predictor's look at it, takes.

    Attributes:
        what: bit-width, or "predictor".
        instructions: executed.
        cycles: by the model.
        parts: cycles of each part of the network; our engine's only.
        hottest: the blocks that cost most, first.

    """

    what: str
    instructions: int
    cycles: float
    parts: Mapping[str, float]
    hottest: Sequence[Block]


def measure_tile(
    machine: Machine,
    llvm: Llvm,
    core: Core,
    bundle: Path,
    engine: str,
    what: Sequence[str],
    instruction_set: str = "",
) -> list[TileCycles]:
    """Run one tile of a bundle on an engine.

    Args:
        machine: set up.
        llvm: weighs blocks.
        core: processor.
        bundle: exported with the engine's format.
        engine: one of ``ENGINES``.
        what: bit-widths, or "predictor".
        instruction_set: of our engine; "" for the one that it chooses.

    Raises:
        ProgramError: the program, qemu or LLVM fails.

    """
    runner = f"{machine.library}:{instruction_set}" if engine == OWN else engine
    program = Program(
        machine, core.cpu, _PROGRAM, [str(bundle), runner], [_PACKAGES], _LIBRARIES[engine],
        _LONGEST_RUN,
    )  # fmt: skip
    if engine == OWN:
        traced = trace(program, *what, stages=partial(_stages, llvm, machine.library))
    else:
        traced = trace(program, *what)
    # Between the two marks of one; what lies between two of them prepares the next.
    spans = range(0, 2 * len(what), 2)
    weighed = _weigh(llvm, core.model, traced, spans)
    frames = _name(llvm, machine.library, traced, weighed) if engine == OWN else {}
    return [
        _sum_up(one, traced, span, weighed, frames) for one, span in zip(what, spans, strict=True)
    ]


def _weigh(llvm: Llvm, model: str, traced: Trace, spans: Sequence[int]) -> dict[int, _Weighed]:
    """Weigh every block that is not negligible in all of the spans."""
    hot: dict[int, None] = {}
    for span in spans:
        least = _NEGLIGIBLE * traced.instructions(span)
        executions: Counter[int] = Counter()
        for (_, block), count in traced.spans[span].items():
            executions[block] += count
        hot |= dict.fromkeys(
            block
            for block, count in executions.items()
            if count * len(traced.blocks[block]) > least
        )
    texts = llvm.disassemble([one for block in hot for one in traced.blocks[block]])
    remaining = iter(texts)
    blocks = {block: tuple(next(remaining) for _ in traced.blocks[block]) for block in hot}
    cycles = llvm.cycles(model, list(blocks.values()))
    return {
        block: _Weighed(text, one)
        for (block, text), one in zip(blocks.items(), cycles, strict=True)
    }


@dataclass(frozen=True)
class _Weighed:
    instructions: tuple[str, ...]
    cycles: float  # of one execution


def _stages(llvm: Llvm, library: Path, libraries: Libraries) -> StageOf:
    return stages_of(llvm.functions(library), libraries[library.name].base)


def _name(
    llvm: Llvm, library: Path, traced: Trace, blocks: Iterable[int]
) -> dict[int, Sequence[str]]:
    """Find the functions of every instruction of blocks in our engine's library."""
    place = traced.libraries[library.name]
    addresses = [
        block + 4 * number
        for block in blocks
        if place.code[0] <= block < place.code[1]
        for number in range(len(traced.blocks[block]))
    ]
    frames = llvm.frames(library, [address - place.base for address in addresses])
    return dict(zip(addresses, frames, strict=True))


def _sum_up(
    what: str,
    traced: Trace,
    span: int,
    weighed: Mapping[int, _Weighed],
    frames: Mapping[int, Sequence[str]],
) -> TileCycles:
    parts: defaultdict[str, float] = defaultdict(float)
    blocks: Counter[int] = Counter()
    covered = 0
    for (stage, block), count in traced.spans[span].items():
        if block not in weighed:
            continue
        length = len(traced.blocks[block])
        covered += count * length
        blocks[block] += count
        for number in range(length):
            part = part_of(stage, frames.get(block + 4 * number, ()))
            parts[part] += count * weighed[block].cycles / length
    instructions = traced.instructions(span)
    scale = instructions / covered
    hottest = [
        Block(
            count * weighed[block].cycles, count, weighed[block].instructions,
            next(reversed(frames.get(block, ())), ""),
        )
        for block, count in blocks.items()
    ]  # fmt: skip
    return TileCycles(
        what,
        instructions,
        scale * sum(parts.values()),
        {part: scale * cycles for part, cycles in parts.items()} if frames else {},
        sorted(hottest, key=lambda block: -block.cycles),
    )
