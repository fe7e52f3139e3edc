"""gdq_run on this computer: what it prints, held to NumPy and to the engine through ctypes."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.gdq_run import (
    SCALE,
    SIDE,
    digest,
    need_program,
    run,
    stitched,
    write_golden,
    write_picture,
    write_ppm,
)  # fmt: skip
from gdq_bench.native.lines import (
    EndLine,
    EngineLine,
    FactsLine,
    GoldenLine,
    JudgedLine,
    PictureLine,
)
from gdq_runtime.engines.native_library import NativeModel, NativeRunner
from runtime.engine_library import need_library
from runtime.tiny_bundle import upscale
from runtime.tiny_packed_model import packed_model, predict

Picture = NDArray[np.uint8]

WIDTHS = (4, 5, 6, 8)


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


def test_outputs_are_those_of_numpy_and_of_the_engine_through_ctypes(
    model: Path, golden: Path, tiles: list[Picture]
) -> None:
    done = run(model, "--tiles", golden, "--bits", "4,8", "--rounds", "1")
    made = {line.bits: line for line in done.lines if isinstance(line, GoldenLine)}
    assert {bits: line.sha256 for bits, line in made.items()} == {
        bits: digest(*(upscale(tile, bits) for tile in tiles)) for bits in (4, 8)
    }
    samples = sum(tile.size for tile in tiles) * SCALE**2
    assert all(line.differences == {0: samples} and line.tiles == 2 for line in made.values())
    runner = NativeRunner(NativeModel(need_library(), model.read_bytes()), SIDE, SIDE)
    assert made[4].sha256 == digest(*(runner.run(4, tile) for tile in tiles))
    (judged,) = (line for line in done.lines if isinstance(line, JudgedLine))
    assert judged.holds
    assert judged.bit_widths == [predict(tile) for tile in tiles]


def test_rounds_go_through_all_widths_in_turn(model: Path, golden: Path) -> None:
    done = run(model, "--tiles", golden, "--rounds", "3", "--affinity", "1")
    assert (done.status, done.stderr) == (0, "")
    assert [(one.round, one.bits) for one in done.rounds] == [
        (number, bits) for number in range(3) for bits in WIDTHS
    ]
    began = [one.at_ns for one in done.rounds]
    assert began == sorted(began)
    for one in done.rounds:
        assert (one.engine, one.workers, one.cores_before, one.cores_after) == ("gdq", 1, [0], [0])
    assert done.lines[-1] == EndLine(line="end", lines=len(done.lines) - 1, status=0)


def test_facts_name_what_the_engine_runs_on(model: Path, golden: Path) -> None:
    done = run(model, "--tiles", golden, "--isa", "scalar", "--rounds", "1", "--affinity", "1")
    facts, engine = done.lines[:2]
    assert isinstance(facts, FactsLine)
    assert isinstance(engine, EngineLine)
    assert facts.instruction_sets == need_library().instruction_sets()
    assert (facts.cores, facts.held, facts.held_error) == ([0], True, None)
    assert (engine.engine, engine.reads, engine.isa) == ("gdq", "engine", "scalar")
    scalar = NativeModel(need_library(), model.read_bytes(), "scalar")
    assert {graph.bits: graph.kernel for graph in engine.graphs} == {
        bits: scalar.kernel(bits) for bits in WIDTHS
    }


def test_wrong_outputs_have_no_times(model: Path, tmp_path: Path, tiles: list[Picture]) -> None:
    wrong = [upscale(tile, 4) for tile in tiles]
    wrong[1] = wrong[1].copy()
    wrong[1][0, 0, 0] -= 3
    folder = write_golden(tmp_path / "tiles", tiles, {("engine", 4): wrong})
    done = run(model, "--tiles", folder, "--bits", "4")
    (line,) = (line for line in done.lines if isinstance(line, GoldenLine))
    assert line.differences is not None
    assert line.differences[3] == 1
    assert (done.status, done.rounds) == (1, [])
    samples = 2 * tiles[0].size * SCALE**2
    (folder / "bounds.txt").write_text(f"engine 2 {1 / samples}\nengine 3 0\n")
    assert run(model, "--tiles", folder, "--bits", "4", "--rounds", "1").status == 0


def test_a_width_may_be_known_of_one_tile_only(
    model: Path, tmp_path: Path, tiles: list[Picture]
) -> None:
    expected = {("engine", 4): [upscale(tile, 4) for tile in tiles]}
    folder = write_golden(tmp_path / "tiles", tiles, expected)
    (folder / "0_bits4_engine.ppm").unlink()
    done = run(model, "--tiles", folder, "--bits", "4", "--rounds", "1")
    (line,) = (line for line in done.lines if isinstance(line, GoldenLine))
    assert (done.status, line.tiles) == (0, 1)
    assert line.sha256 == digest(*expected["engine", 4])


def test_it_stops_when_its_time_is_over(model: Path, golden: Path) -> None:
    start = time.monotonic()
    done = run(model, "--tiles", golden, "--bits", "4", "--duration", "0.2")
    assert time.monotonic() - start < 30
    assert done.rounds[-1].at_ns - done.rounds[0].at_ns < 0.2e9 + done.rounds[-1].wall_ns
    both = ("--duration", "60", "--rounds", "2")
    assert len(run(model, "--tiles", golden, "--bits", "4", *both).rounds) == 2


def test_a_picture_is_cut_routed_and_stitched(model: Path, golden: Path, tmp_path: Path) -> None:
    picture, plan, bit_map = write_picture(tmp_path)
    assert {0, 4, 8} == set(bit_map.ravel().tolist())
    files = ("--picture", tmp_path / "picture.ppm", "--plan", tmp_path / "picture.plan")
    done = run(model, "--tiles", golden, *files, "--bits", "6", "--workers", "1,2", "--rounds", "2")
    made = {line.bits: line for line in done.lines if isinstance(line, PictureLine)}
    assert made[None].sha256 == digest(stitched(picture, plan, bit_map))
    assert made[6].sha256 == digest(stitched(picture, plan, np.full_like(bit_map, 6)))
    assert [(line.tiles, line.predicted) for line in made.values()] == [(12, True), (12, False)]
    ways = [(1, None), (1, 6), (2, None), (2, 6)]
    assert [(one.workers, one.bits) for one in done.rounds] == 2 * ways
    for one in done.rounds:
        assert len(one.cores_before) == len(one.cores_after) == len(one.khz) == one.workers
    golden_widths = [line.bits for line in done.lines if isinstance(line, GoldenLine)]
    assert golden_widths == [4, 6, 8]


def test_results_that_cannot_be_written_are_an_error(model: Path, golden: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [need_program(), model, "--tiles", golden], stdout=full, stderr=subprocess.PIPE,
            text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "gdq_run: the results cannot be written: No space left on device\n"


def test_help_says_how_to_call_it() -> None:
    done = subprocess.run([need_program(), "--help"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()[:2]) == (0, ["usage:", "gdq_run"])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["{garbage}", "--tiles", "{golden}"], "{garbage}: "),
        (["{model}", "--tiles", "{here}/none"], "/none/bounds.txt, the bounds of golden"),
        (["{model}", "--tiles", "{golden}", "--affinity", "1" + 50 * "0"], "no core 200"),
        (["{model}", "--tiles", "{golden}", "--affinity", "xyz"], "not 'xyz'"),
        (["{model}", "--tiles", "{golden}", "--affinity", "0"], "not '0'"),
        (["{model}", "--tiles", "{golden}", "--isa", "mmx"], "unknown instruction set mmx"),
        (["{model}", "--tiles", "{golden}", "--bits", "7"], "not 7"),
        (["{model}", "--tiles", "{golden}", "--bits", "4,4"], "names 4 twice"),
        (["{model}", "--tiles", "{golden}", "--rounds", "0"], "from 1 to 1000000, not '0'"),
        (["{model}", "--tiles", "{golden}", "--duration", "nan"], "not 'nan'"),
        (["{model}", "--tiles", "{golden}", "--workers", "2"], "--plan is missing"),
        (["{model}", "--tiles", "{golden}", "--plan", "{model}"], "belong together"),
        (["{model}", "--tiles", "{golden}", "--speed", "9"], "no option --speed"),
        (["{model}", "--tiles"], "--tiles has no value behind it"),
        (["{model}"], "--tiles is missing"),
        (["{model}", "{model}"], "there are two packed models"),
        (["--tiles", "{golden}"], "there is nothing to measure"),
        (["{model}", "--tiles", "{golden}", "--accelerator", "cpu"], "belongs to a --library"),
        (["--tiles", "{golden}", "--library", "{garbage}"], "needs a --model"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_in_one_sentence(
    model: Path, golden: Path, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    garbage = tmp_path / "garbage.gdq"
    garbage.write_bytes(b"no model" * 100)
    names = {"model": model, "golden": golden, "garbage": garbage, "here": tmp_path}
    done = run(*(argument.format(**names) for argument in arguments))
    assert done.status == 2
    assert sentence.format(**names) in done.error.message
    assert done.stderr == f"gdq_run: {done.error.message}\n"
    assert done.lines[-1] == EndLine(line="end", lines=len(done.lines) - 1, status=2)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("1.ppm", b"P5 16 16 255\n", "begins with P6"),
        ("1.ppm", b"P6 16 16 255\n1", "what its header says"),
        ("1.ppm", b"P6 99999999999999999999 1 255\n", "too many pixels"),
        ("1.ppm", b"P6 16", "needs a width, a height and 255"),
        ("1.ppm", b"P6 1 1 255\nabc", "1.ppm has another size"),
        ("0.ppm", None, "0.ppm, a picture, cannot be read: No such file"),
        ("0_bits4_engine.ppm", b"P6 1 1 255\nabc", "is not 2 times as large as its tile"),
        ("?_bits5_engine.ppm", None, "does not say what a tile becomes at 5 bits"),
        ("bounds.txt", b"engine much 1\n", "the line 'engine much 1' instead of"),
        ("bounds.txt", b"onnx 1 1\n", "no line for the format engine"),
    ],
)
def test_damaged_tiles_are_refused(
    model: Path, tmp_path: Path, tiles: list[Picture],
    name: str, content: bytes | None, sentence: str,
) -> None:  # fmt: skip
    expected = {("engine", bits): [upscale(tile, bits) for tile in tiles] for bits in WIDTHS}
    folder = write_golden(tmp_path / "tiles", tiles, expected)
    for path in list(folder.glob(name)):
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)
    done = run(model, "--tiles", folder, "--rounds", "1")
    assert (done.status, done.rounds) == (2, [])
    assert sentence in done.error.message


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        ("", "does not begin with gdq-plan 1"),
        ("gdq-plan 2 16\n", "does not begin with gdq-plan 1"),
        ("gdq-plan 1 8\n0 0 0 0 8 8 4\n", "does not cover"),
        ("gdq-plan 1 16\n0 0 0 0 16 16 4 9\n", "instead of six whole numbers"),
        ("gdq-plan 1 16\n0 0 0 0 16 16 7\n", "0, 4, 5, 6 or 8 bits"),
        ("gdq-plan 1 16\n2 0 2 0 16 16 4\n", "outside the picture"),
        ("gdq-plan 1 16\n2147483647 0 0 0 16 16 4\n", "outside the picture"),
        ("gdq-plan 1 16\n0 0 0 0 17 16 4\n", "owns what it does not hold"),
        ("gdq-plan 1 16\n0 0 0 0 16 15 4\n", "does not cover"),
        ("gdq-plan 1 16\n0 0 0 0 16 16 4\n0 0 0 0 1 1 4\n", "does not cover"),
    ],
)
def test_damaged_plans_are_refused(
    model: Path, golden: Path, tmp_path: Path, tiles: list[Picture], plan: str, sentence: str
) -> None:
    write_ppm(tmp_path / "picture.ppm", tiles[0])
    (tmp_path / "picture.plan").write_text(plan)
    files = ("--picture", tmp_path / "picture.ppm", "--plan", tmp_path / "picture.plan")
    done = run(model, "--tiles", golden, *files)
    assert (done.status, done.rounds) == (2, [])
    assert sentence in done.error.message


def test_more_workers_than_cores_are_refused(model: Path, golden: Path, tmp_path: Path) -> None:
    write_picture(tmp_path)
    files = ("--picture", tmp_path / "picture.ppm", "--plan", tmp_path / "picture.plan")
    done = run(model, "--tiles", golden, *files, "--workers", "2", "--affinity", "1")
    assert done.error.message == "2 workers need a core each, and --affinity has 1"
