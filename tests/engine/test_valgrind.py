"""Loading and running under valgrind, which also sees what was never written.

valgrind knows no AVX-512; with sanitizers, `make test-engine-memory` runs the other tests.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from engine.library import LIBRARY, need_library
from engine.networks import NETWORKS

ENGINE = Path(__file__).resolve().parents[2] / "runtime/gdq_engine"


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fuzzer, which also runs models as they are, with the library that is tested."""
    need_library()
    compiler = shutil.which("c++")
    if compiler is None or shutil.which("valgrind") is None:
        pytest.skip("no C++ compiler, or no valgrind, on this machine")
    if "libasan" in os.environ.get("LD_PRELOAD", ""):
        pytest.skip("valgrind and sanitizers do not go together")
    path = tmp_path_factory.mktemp("fuzz") / "fuzz_model"
    source = ENGINE / "test/fuzz_model.cpp"
    command: list[str | Path] = [
        compiler,
        "-std=c++17",
        "-O1",
        "-I",
        ENGINE / "include",
        source,
        LIBRARY,
    ]
    subprocess.run([*command, f"-Wl,-rpath,{LIBRARY.parent}", "-o", path], check=True)
    return path


@pytest.mark.parametrize("instruction_set", ["scalar", "avx2"])
def test_reads_and_writes_only_its_own(program: Path, tmp_path: Path, instruction_set: str) -> None:
    if not need_library().instruction_sets().get(instruction_set):
        pytest.skip("not on this processor")
    paths = []
    for name, network in NETWORKS.items():
        paths.append(tmp_path / name)
        paths[-1].write_bytes(network(0, 2, bit_widths=(4, 6, 8)).to_bytes())
    damaged = tmp_path / "damaged"
    damaged.write_bytes(paths[0].read_bytes()[:700])
    done = subprocess.run(
        ["valgrind", "--error-exitcode=9", "--leak-check=full", "--errors-for-leak-kinds=definite",
         "--quiet", program, "--once", *paths, damaged],
        env={**os.environ, "GDQ_ISA": instruction_set}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stdout.count(": runs\n") == len(paths)
    assert "damaged: the packed model is damaged" in done.stdout
