from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gdq_core.errors import EngineError
from gdq_runtime.engines.native_library import (
    _SIGNATURES,
    ABI_VERSION,
    NativeLibrary,
    NativeModel,
    NativeRunner,
)
from runtime.engine_library import need_library
from runtime.tiny_bundle import upscale
from runtime.tiny_packed_model import packed_model

HEADER = Path(__file__).resolve().parents[3] / "runtime/gdq_engine/include/gdq_engine.h"
TILES = np.random.default_rng(0).integers(0, 256, (2, 16, 24, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def library() -> NativeLibrary:
    return need_library()


def test_knows_the_functions_of_the_header() -> None:
    header = HEADER.read_text(encoding="utf-8")
    declared = re.findall(r"^GDQ_API [\w* ]+?(\w+)\(([^)]*)\);", header, re.MULTILINE)
    counts = {name: 0 if text == "void" else text.count(",") + 1 for name, text in declared}
    assert {name: len(arguments) for name, (_, arguments) in _SIGNATURES.items()} == counts
    assert f"#define GDQ_ABI_VERSION {ABI_VERSION}\n" in header


def test_has_instruction_sets(library: NativeLibrary) -> None:
    found = library.instruction_sets()
    assert list(found)[-1] == "scalar"
    assert found["scalar"]


def test_says_what_to_do_without_the_library(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"not built with this installation: install .* again"):
        NativeLibrary(tmp_path / "libgdq_engine.so")


def test_refuses_a_file_that_is_no_library(tmp_path: Path) -> None:
    path = tmp_path / "libgdq_engine.so"
    path.write_bytes(b"\x7fELF, for some other processor")
    with pytest.raises(EngineError, match=r"libgdq_engine\.so cannot be loaded \(.*: install "):
        NativeLibrary(path)


def compile_library(path: Path, code: str) -> Path:
    compiler = shutil.which("c++")
    if compiler is None:
        pytest.skip("no C++ compiler on this machine")
    source = path.with_suffix(".cpp")
    source.write_text(code, encoding="utf-8")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", path, source], check=True)
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="exports are spelled otherwise")
def test_refuses_another_version_of_the_interface(tmp_path: Path) -> None:
    code = f'extern "C" int gdq_abi_version() {{ return {ABI_VERSION + 1}; }}\n'
    path = compile_library(tmp_path / "newer.so", code)
    found = rf"newer\.so has interface version {ABI_VERSION + 1}, but this runtime needs"
    with pytest.raises(EngineError, match=found):
        NativeLibrary(path)


@pytest.mark.skipif(sys.platform == "win32", reason="exports are spelled otherwise")
def test_refuses_another_library(tmp_path: Path) -> None:
    path = compile_library(tmp_path / "other.so", "int something_else() { return 0; }\n")
    with pytest.raises(EngineError, match=r"other\.so cannot be loaded .*gdq_abi_version"):
        NativeLibrary(path)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_runs_a_model(library: NativeLibrary, scale: int) -> None:
    model = NativeModel(library, packed_model(scale, (4, 8)))
    assert (model.scale, model.bit_widths) == (scale, (4, 8))
    runner = NativeRunner(model, 16, 24)
    for bit_width in model.bit_widths:
        for tile in TILES:
            expected = upscale(tile, bit_width, scale)
            np.testing.assert_array_equal(runner.run(bit_width, tile), expected)


def test_a_tile_may_be_a_view(library: NativeLibrary) -> None:
    runner = NativeRunner(NativeModel(library, packed_model()), 8, 12)
    tile = TILES[0][::-2, ::2]
    np.testing.assert_array_equal(runner.run(6, tile), upscale(tile, 6))


def test_runs_on_the_instruction_set_asked_for(library: NativeLibrary) -> None:
    for name, is_available in library.instruction_sets().items():
        if is_available:
            model = NativeModel(library, packed_model(), name)
            assert model.instruction_set == name
            assert model.kernel(8)
            picture = NativeRunner(model, 16, 24).run(8, TILES[0])
            np.testing.assert_array_equal(picture, upscale(TILES[0], 8))


def test_refuses_an_unknown_instruction_set(library: NativeLibrary) -> None:
    with pytest.raises(EngineError, match="abacus"):
        NativeModel(library, packed_model(), "abacus")


@pytest.mark.parametrize(
    "content", [b"", b"no model", bytes(4096), packed_model()[:200]], ids=["0", "text", "0s", "cut"]
)
def test_refuses_what_is_no_model(library: NativeLibrary, content: bytes) -> None:
    with pytest.raises(EngineError, match="packed model"):
        NativeModel(library, content)


def test_refuses_a_bit_width_that_the_model_does_not_have(library: NativeLibrary) -> None:
    runner = NativeRunner(NativeModel(library, packed_model(2, (4, 8))), 16, 24)
    with pytest.raises(EngineError, match="5"):
        runner.run(5, TILES[0])


def test_a_runner_keeps_its_model(library: NativeLibrary) -> None:
    runner = NativeRunner(NativeModel(library, packed_model()), 16, 24)
    np.testing.assert_array_equal(runner.run(4, TILES[1]), upscale(TILES[1], 4))


@pytest.mark.skipif(sys.platform == "win32", reason="exports are spelled otherwise")
def test_refuses_a_library_that_lacks_a_function(tmp_path: Path) -> None:
    code = f'extern "C" int gdq_abi_version() {{ return {ABI_VERSION}; }}\n'
    path = compile_library(tmp_path / "older.so", code)
    with pytest.raises(EngineError, match=r"older\.so is from an older build, without gdq_"):
        NativeLibrary(path)
