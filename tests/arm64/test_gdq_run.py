"""gdq_run as phones get it, linked statically, on emulated processors: golden tiles, then times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.gdq_run import SCALE, SIDE, digest, write_golden
from gdq_bench.native.lines import (
    EndLine,
    EngineLine,
    FactsLine,
    GoldenLine,
    JudgedLine,
    Line,
    RoundLine,
    read_lines,
)
from gdq_devices.emulated.machine import FOLDER, Machine
from gdq_devices.errors import ProgramError
from gdq_devices.program import build_program
from runtime.tiny_bundle import upscale
from runtime.tiny_packed_model import packed_model, predict

WIDTHS = (4, 5, 6, 8)
INSTRUCTION_SETS = {
    "cortex-a53": ["neon", "scalar"],
    "cortex-a76": ["dotprod", "neon", "scalar"],
    "cortex-a710": ["i8mm", "dotprod", "neon", "scalar"],
}
LONGEST_RUN = 120.0
"""Seconds after which a processor counts as hung."""

pytestmark = pytest.mark.timeout(1200)  # the program may have to be built

Picture = NDArray[np.uint8]


@pytest.fixture(scope="module")
def program() -> Path:
    return build_program("aarch64-linux-musl", print)


@pytest.fixture(scope="module")
def tiles() -> list[Picture]:
    random = np.random.default_rng(14)
    return [
        random.integers(low, high, (SIDE, SIDE, 3), dtype=np.uint8)
        for low, high in ((0, 256), (200, 256))
    ]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.gdq"
    path.write_bytes(packed_model(SCALE, WIDTHS))
    return path


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory, tiles: list[Picture]) -> Path:
    expected = {("engine", bits): [upscale(tile, bits) for tile in tiles] for bits in WIDTHS}
    return write_golden(tmp_path_factory.mktemp("golden") / "tiles", tiles, expected)


def run(cpu: str, program: Path, *arguments: str | Path) -> list[Line]:
    device = Machine(FOLDER).device(cpu)
    words = [str(argument) for argument in arguments]
    return read_lines(device.run(device.push(program), words, environment={}, seconds=LONGEST_RUN))


@pytest.mark.parametrize(
    ("cpu", "isa"), [(cpu, isa) for cpu, sets in INSTRUCTION_SETS.items() for isa in sets]
)
def test_golden_tiles_are_numpys_with_every_instruction_set(
    cpu: str, isa: str, program: Path, model: Path, golden: Path, tiles: list[Picture]
) -> None:
    lines = run(cpu, program, model, "--tiles", golden, "--isa", isa, "--rounds", "2")
    facts, engine = lines[:2]
    assert isinstance(facts, FactsLine)
    assert isinstance(engine, EngineLine)
    assert (facts.abi, facts.can_load, engine.isa) == ("arm64-v8a", False, isa)
    here = [name for name, is_there in facts.instruction_sets.items() if is_there]
    assert here == INSTRUCTION_SETS[cpu]
    made = {line.bits: line.sha256 for line in lines if isinstance(line, GoldenLine)}
    assert made == {bits: digest(*(upscale(tile, bits) for tile in tiles)) for bits in WIDTHS}
    (judged,) = (line for line in lines if isinstance(line, JudgedLine))
    assert (judged.holds, judged.bit_widths) == (True, [predict(tile) for tile in tiles])
    rounds = [(line.round, line.bits) for line in lines if isinstance(line, RoundLine)]
    assert rounds == [(number, bits) for number in range(2) for bits in WIDTHS]
    assert lines[-1] == EndLine(line="end", lines=len(lines) - 1, status=0)


def test_wrong_outputs_have_no_times(
    program: Path, model: Path, tmp_path: Path, tiles: list[Picture]
) -> None:
    wrong = [upscale(tile, 5) for tile in tiles]
    folder = write_golden(tmp_path / "tiles", tiles, {("engine", 4): wrong})
    with pytest.raises(ProgramError, match=r"ended with 1:\n$"):
        run("cortex-a76", program, model, "--tiles", folder, "--bits", "4")


def test_a_library_is_refused_in_one_sentence(program: Path, golden: Path) -> None:
    words: list[str | Path] = [
        "--tiles",
        golden,
        "--library",
        "libonnxruntime.so",
        "--model",
        "8=8.onnx",
    ]
    with pytest.raises(
        ProgramError,
        match="gdq_run: this gdq_run is linked statically and cannot load ",
    ):
        run("cortex-a76", program, *words)
