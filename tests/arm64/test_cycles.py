"""Tracing and weighing, held to a function of the engine's library that is called a known number of
times."""

from __future__ import annotations

from pathlib import Path

import pytest

from gdq_bench.suite.arm_cycles.cores import CORES
from gdq_bench.suite.arm_cycles.layers import measure_layers
from gdq_devices.emulated.llvm import Function, Llvm, add_llvm
from gdq_devices.emulated.machine import FOLDER, Machine
from gdq_devices.emulated.trace import (
    Libraries,
    NativeProgram,
    Program,
    StageOf,
    trace,
    trace_native,
)
from gdq_devices.errors import ProgramError

MACHINE = Machine(FOLDER)
CALLS = 7
PROGRAM = f"""
import ctypes, os, sys
library = ctypes.CDLL(sys.argv[1])
print(open("/proc/self/maps").read())
for _ in sys.argv[2:]:
    os.getppid()
    for _ in range({CALLS}):
        library.gdq_abi_version()
    os.getppid()
"""


@pytest.fixture(scope="module")
def llvm() -> Llvm:
    return add_llvm(MACHINE, print)


@pytest.fixture(scope="module")
def function(llvm: Llvm) -> Function:
    return next(one for one in llvm.functions(MACHINE.library) if one.name == "gdq_abi_version")


def write_program(folder: Path, source: str, seconds: float = 60) -> Program:
    file = folder / "program.py"
    file.write_text(source)
    arguments = [str(MACHINE.library)]
    return Program(MACHINE, "cortex-a76", file, arguments, [], ["libgdq_engine"], seconds)


def test_a_function_s_blocks_are_counted_and_named(
    llvm: Llvm, function: Function, tmp_path: Path
) -> None:
    def stages(libraries: Libraries) -> StageOf:
        return {libraries[MACHINE.library.name].base + function.start: "version"}.get

    traced = trace(write_program(tmp_path, PROGRAM), "once", "twice", stages=stages)
    start = traced.libraries[MACHINE.library.name].base + function.start
    assert [span["version", start] for span in traced.spans] == [CALLS, 0, CALLS]
    assert llvm.disassemble(traced.blocks[start])[-1] == "ret"
    assert llvm.frames(MACHINE.library, [function.start]) == [("gdq_abi_version",)]


def test_a_program_without_the_library_is_refused(tmp_path: Path) -> None:
    program = write_program(tmp_path, "print(open('/proc/self/maps').read())")
    with pytest.raises(ProgramError, match="loads none of libgdq_engine"):
        trace(program)


def test_a_program_that_moves_its_library_is_refused(tmp_path: Path) -> None:
    moving = "print('%x-7f0000000000 r-xp 0 0 0 /libgdq_engine.so' % os.getpid())"
    with pytest.raises(ProgramError, match="loads its libraries at other addresses every time"):
        trace(write_program(tmp_path, f"import os\n{moving}"))


@pytest.mark.parametrize("arguments", [[], ["once"]])
def test_a_program_that_takes_too_long_is_stopped(tmp_path: Path, arguments: list[str]) -> None:
    source = f"{PROGRAM}\nwhile len(sys.argv[2:]) == {len(arguments)}: pass"
    with pytest.raises(ProgramError, match=r"takes more than 10 s|ended with -9"):
        trace(write_program(tmp_path, source, seconds=10), *arguments)


def test_models_differ_where_processors_do(llvm: Llvm) -> None:
    """An A76 starts two sdot a cycle, an A55 one; what depends on the one before waits for it."""
    products = [f"sdot v{n}.4s, v30.16b, v31.16b" for n in range(8)]
    chain = ["add x0, x0, #1"] * 8
    a76, a55 = (llvm.cycles(model, [products, chain]) for model in ("neoverse-n1", "cortex-a55"))
    assert a76 == pytest.approx([4, 8], abs=0.2)
    assert a55 == pytest.approx([8, 8], abs=0.2)


def test_what_is_no_instruction_costs_nothing(llvm: Llvm) -> None:
    assert llvm.disassemble([0xD65F03C0, 0xFFFFFFFF, 0xD503201F]) == ["ret", "", "nop"]
    assert llvm.disassemble([]) == []


def test_an_instruction_that_the_model_refuses_is_an_error(llvm: Llvm) -> None:
    with pytest.raises(ProgramError, match="llvm-mca ended with 1"):
        llvm.cycles("neoverse-n1", [["no such instruction"]])


def test_a_layer_is_weighed_by_every_kernel(llvm: Llvm) -> None:
    """Each pixel of 32 channels asks for 9 * 32 * 32 products without a transform, and an A76 makes
    32 a cycle."""
    side = 16
    (layers,) = measure_layers(MACHINE, llvm, [CORES["a76"]], "dotprod", 32, side)
    assert {layer.kernel: (layer.largest_bits, set(layer.chosen_at)) for layer in layers} == {
        "direct_int8": (8, {8}), "f22_int8": (6, {6}), "k42_int8": (5, {5}), "k44_int8": (4, {4}),
        "f44_int16": (8, set()),
    }  # fmt: skip
    least = 2 * side * side * 9 * 32 * 32 / 32
    assert least < layers[0].cycles < 1.5 * least


def test_a_native_program_that_fails_is_an_error() -> None:
    file = MACHINE.engine / "bench/bench_layers"
    program = NativeProgram(MACHINE, "cortex-a76", file, (0, 1), 60)
    with pytest.raises(ProgramError, match="bench_layers on cortex-a76 ended with 2:\nusage"):
        trace_native(program)
