"""ONNX Runtime beside our engine in gdq_run, held to NumPy: its library out of PyPI's wheel, and an
older one out of Maven Central's archive, so that the interface is that of several versions."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import hatch_build
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
)  # fmt: skip
from gdq_bench.native.lines import EngineLine, GoldenLine, PictureLine
from maven_library import maven_library
from runtime.tiny_bundle import upscale, write_tiny_bundle
from runtime.tiny_packed_model import packed_model

Picture = NDArray[np.uint8]

ARTIFACT = "com.microsoft.onnxruntime:onnxruntime:1.29.0"
INSIDE = "ai/onnxruntime/native/linux-x64/libonnxruntime.so"


def wheel_library() -> Path:
    spec = find_spec("onnxruntime")
    assert spec is not None
    assert spec.origin is not None
    found = sorted(Path(spec.origin).parent.glob("capi/libonnxruntime.so.*"))
    if not found:
        pytest.skip("this wheel of ONNX Runtime has no library of its own")
    return found[0]


@pytest.fixture(scope="module", params=["wheel", "maven"])
def library(request: pytest.FixtureRequest) -> Path:
    return wheel_library() if request.param == "wheel" else maven_library(ARTIFACT, INSIDE)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_tiny_bundle(tmp_path_factory.mktemp("tiny") / "bundle", scale=SCALE)
    (folder / "model.gdq").write_bytes(packed_model(SCALE))
    return folder


@pytest.fixture(scope="module")
def tiles() -> list[Picture]:
    random = np.random.default_rng(29)
    return [random.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8) for _ in range(2)]


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory, tiles: list[Picture]) -> Path:
    expected = {
        (form, bits): [upscale(tile, bits) for tile in tiles]
        for form in ("engine", "onnx")
        for bits in (4, 8)
    }
    return write_golden(tmp_path_factory.mktemp("golden") / "tiles", tiles, expected)


def golden_of(done: Finished, engine: str) -> dict[int, GoldenLine]:
    lines = (line for line in done.lines if isinstance(line, GoldenLine))
    return {line.bits: line for line in lines if line.engine == engine}


def models(bundle: Path) -> list[str]:
    return ["--model", f"4={bundle}/4.onnx", "--model", f"8={bundle}/8.onnx"]


def test_a_peer_runs_in_turn_with_ours(
    library: Path, bundle: Path, golden: Path, tiles: list[Picture]
) -> None:
    ours = (bundle / "model.gdq", "--tiles", golden, "--bits", "4,8", "--rounds", "2")
    done = run(*ours, "--library", library, *models(bundle))
    assert (done.status, done.stderr) == (0, "")
    (peer,) = (one for one in done.lines if isinstance(one, EngineLine) and one.engine != "gdq")
    assert (peer.engine, peer.reads, peer.isa) == ("onnxruntime", "onnx", None)
    assert (peer.accelerator_asked, peer.accelerator_used) == ("cpu", "cpu")
    assert peer.version.encode() in library.read_bytes()
    expected = {bits: digest(*(upscale(tile, bits) for tile in tiles)) for bits in (4, 8)}
    found = {bits: line.sha256 for bits, line in golden_of(done, "onnxruntime").items()}
    assert found == expected
    assert [(one.engine, one.bits) for one in done.rounds] == 2 * [
        ("gdq", 4), ("gdq", 8), ("onnxruntime", 4), ("onnxruntime", 8),
    ]  # fmt: skip


def test_a_peer_shares_a_picture_among_workers(
    library: Path, bundle: Path, golden: Path, tmp_path: Path
) -> None:
    picture, plan, bit_map = write_picture(tmp_path)
    files = ("--picture", tmp_path / "picture.ppm", "--plan", tmp_path / "picture.plan")
    peer: list[str | Path] = ["--library", library, *models(bundle)]
    done = run("--tiles", golden, *files, "--workers", "2", "--rounds", "1", *peer)
    (made,) = (line for line in done.lines if isinstance(line, PictureLine))
    assert made.sha256 == digest(stitched(picture, plan, bit_map))
    assert not made.predicted


def test_a_peer_with_wrong_outputs_has_no_times_and_ours_has(
    library: Path, bundle: Path, golden: Path
) -> None:
    wrong = ("--library", library, "--model", f"4={bundle}/8.onnx")
    done = run(bundle / "model.gdq", "--tiles", golden, "--bits", "4", "--rounds", "1", *wrong)
    assert (done.status, {one.engine for one in done.rounds}) == (1, {"gdq"})


def test_a_network_in_float_is_held_to_nothing(library: Path, bundle: Path, golden: Path) -> None:
    both = ("--model", f"8={bundle}/8.onnx", "--model", f"32={bundle}/5.onnx")
    done = run("--tiles", golden, "--library", library, *both, "--rounds", "1")
    assert golden_of(done, "onnxruntime")[32].differences is None
    assert [one.bits for one in done.rounds] == [8, 32]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["{library}", "--model", "8={bundle}/8.onnx", "--accelerator", "nnapi"],
         "{library} was built without NNAPI"),
        (["{library}", "--model", "8={bundle}/manifest.json"], "manifest.json: ONNX Runtime says"),
        (["{library}", "--model", "8={bundle}/predictor.onnx"], "one picture of one tile"),
        (["{library}", "--model", "7={bundle}/8.onnx"], "--model has 7 bits"),
        (["{library}", "--model", "{bundle}/8.onnx"], "needs its width"),
        (["{library}", "--model", "8=a", "--model", "8=b"], "two models of 8 bits"),
        (["{library}", "--model", "32={bundle}/8.onnx"], "beside the one in float"),
        (["{bundle}/8.onnx", "--model", "8=a"], "{bundle}/8.onnx cannot be loaded: "),
        (["{bundle}/none.so", "--model", "8=a"], "{bundle}/none.so does not exist"),
        (["{other}", "--model", "8=a"], "is a library, but neither ONNX Runtime nor"),
    ],
)  # fmt: skip
def test_what_is_no_peer_is_refused_in_one_sentence(
    bundle: Path, golden: Path, arguments: list[str], sentence: str
) -> None:
    names = {"bundle": bundle, "library": wheel_library(), "other": hatch_build.TEST_LIBRARY}
    words = [argument.format(**names) for argument in arguments]
    done = run("--tiles", golden, "--library", *words)
    assert (done.status, done.rounds) == (2, [])
    assert sentence.format(**names) in done.error.message
    assert done.stderr == f"gdq_run: {done.error.message}\n"
