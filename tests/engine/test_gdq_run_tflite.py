"""TensorFlow Lite beside our engine in gdq_run, held to NumPy: the C interface of its interpreter,
in a build for Linux that Maven Central has. Google publishes builds for Android only."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.gdq_run import (
    SCALE,
    SIDE,
    Finished,
    digest,
    run,
    stitched,
    write_golden,
    write_picture,
)
from engine.tiny_tflite import tiny_tflite
from gdq_bench.native.lines import EngineLine, GoldenLine, JudgedLine, PictureLine
from maven_library import maven_library
from runtime.tiny_bundle import upscale
from runtime.tiny_packed_model import packed_model

Picture = NDArray[np.uint8]

ARTIFACT = "org.bytedeco:tensorflow-lite:2.18.0-1.5.11:jar:linux-x86_64"
INSIDE = "org/bytedeco/tensorflowlite/linux-x86_64/libjnitensorflowlite.so"
BITS = (4, 8)


@pytest.fixture(scope="module")
def library() -> Path:
    return maven_library(ARTIFACT, INSIDE)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tflite") / "graphs.tflite"
    path.write_bytes(tiny_tflite(BITS, SIDE, SCALE))
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ours") / "model.gdq"
    path.write_bytes(packed_model(SCALE))
    return path


@pytest.fixture(scope="module")
def tiles() -> list[Picture]:
    random = np.random.default_rng(31)
    return [random.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8) for _ in range(2)]


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory, tiles: list[Picture]) -> Path:
    expected = {
        (form, bits): [upscale(tile, bits) for tile in tiles]
        for form in ("engine", "tflite")
        for bits in BITS
    }
    return write_golden(tmp_path_factory.mktemp("golden") / "tiles", tiles, expected)


def refusal(done: Finished) -> str:
    assert (done.status, done.rounds) == (2, [])
    return done.error.message


def test_it_runs_in_turn_with_ours(
    library: Path, model: Path, golden: Path, file: Path, tiles: list[Picture]
) -> None:
    peer = ("--library", library, "--model", file)
    done = run(model, "--tiles", golden, "--bits", "4,8", "--rounds", "2", *peer)
    assert done.status == 0, done.stderr
    (line,) = (one for one in done.lines if isinstance(one, EngineLine) and one.engine != "gdq")
    assert (line.engine, line.version, line.reads) == ("tflite", "2.18.0", "tflite")
    assert (line.accelerator_asked, line.accelerator_used) == ("cpu", "cpu")
    made = {
        one.bits: one.sha256
        for one in done.lines
        if isinstance(one, GoldenLine) and one.engine == "tflite"
    }
    assert made == {bits: digest(*(upscale(tile, bits) for tile in tiles)) for bits in BITS}
    assert [(one.engine, one.bits) for one in done.rounds] == 2 * [
        ("gdq", 4), ("gdq", 8), ("tflite", 4), ("tflite", 8),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("number", "taken", "partitions"),
    [(np.int32, 0, 0), (np.float32, 2, 1)],  # adding and clipping are XNNPACK's in float only
)
def test_nodes_that_xnnpack_takes_are_counted(
    library: Path, golden: Path, tmp_path: Path, number: type[np.number], taken: int,
    partitions: int,
) -> None:  # fmt: skip
    (tmp_path / "graphs.tflite").write_bytes(tiny_tflite(BITS, SIDE, SCALE, number))
    words = ("--library", library, "--model", tmp_path / "graphs.tflite")
    done = run("--tiles", golden, "--bits", "4,8", "--rounds", "1", *words)
    assert done.status == 0, done.stderr
    (line,) = (one for one in done.lines if isinstance(one, EngineLine))
    counted = [(one.bits, one.nodes, one.accelerated_nodes, one.partitions) for one in line.graphs]
    assert counted == [(bits, 5, taken, partitions) for bits in BITS]


def test_workers_have_an_interpreter_each(
    library: Path, golden: Path, file: Path, tmp_path: Path
) -> None:
    picture, plan, bit_map = write_picture(tmp_path)
    files = ("--picture", tmp_path / "picture.ppm", "--plan", tmp_path / "picture.plan")
    peer = ("--library", library, "--model", f"4={file}", "--model", f"8={file}")
    done = run("--tiles", golden, *files, "--workers", "2", "--rounds", "1", *peer)
    (made,) = (line for line in done.lines if isinstance(line, PictureLine))
    assert made.sha256 == digest(stitched(picture, plan, bit_map))


def test_wrong_outputs_have_no_times(
    library: Path, golden: Path, tmp_path: Path, tiles: list[Picture]
) -> None:
    (tmp_path / "wrong.tflite").write_bytes(tiny_tflite((5,), SIDE, SCALE))
    words = ("--library", library, "--model", f"8={tmp_path}/wrong.tflite")
    done = run("--tiles", golden, *words)
    assert (done.status, done.rounds) == (1, [])
    assert [one.holds for one in done.lines if isinstance(one, JudgedLine)] == [False]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--model", "8={golden}/0.ppm"], "0.ppm: TensorFlow Lite says: "),
        (["--model", "8={golden}/none.tflite"], "none.tflite: TensorFlow Lite says: "),
        (["--model", "8={other}"], "has no signature bits8, but bits4, bits5"),
        (["--model", "32={file}"], "no network in float"),
        (["--model", "8={file}", "--accelerator", "nnapi"], "is measured on the CPU only"),
    ],
)
def test_what_it_cannot_run_is_refused_in_one_sentence(
    library: Path, golden: Path, file: Path, tmp_path: Path, words: list[str], sentence: str
) -> None:
    (tmp_path / "other.tflite").write_bytes(tiny_tflite((4, 5), SIDE, SCALE))
    names = {"golden": golden, "file": file, "other": tmp_path / "other.tflite"}
    given = [word.format(**names) for word in words]
    done = run("--tiles", golden, "--library", library, *given)
    assert sentence in refusal(done)


def test_tiles_of_another_size_are_refused(library: Path, golden: Path, tmp_path: Path) -> None:
    (tmp_path / "other.tflite").write_bytes(tiny_tflite(BITS, 2 * SIDE, SCALE))
    words = ("--library", library, "--model", f"8={tmp_path}/other.tflite")
    sentence = "(bits8) does not make one picture of one tile of 16x16 pixels, both of bytes"
    assert sentence in refusal(run("--tiles", golden, *words))


def test_litert_of_compiled_models_is_refused(golden: Path, file: Path) -> None:
    spec = find_spec("ai_edge_litert")
    assert spec is not None
    assert spec.origin is not None
    library = Path(spec.origin).with_name("libLiteRt.so")
    if not library.is_file():
        pytest.skip("this wheel of LiteRT has no library of its own")
    done = run("--tiles", golden, "--library", library, "--model", f"8={file}")
    assert "is a library, but neither ONNX Runtime nor TensorFlow Lite" in refusal(done)
