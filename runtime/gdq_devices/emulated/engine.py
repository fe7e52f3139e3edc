"""Compiles the library of the engine gdq for ARM64, with CMake and zig from PyPI."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from gdq_devices.commands import run_command

TOOLS = ("cmake", "ninja", "ziglang")
"""zig brings Clang with the headers and libraries of every system it compiles for."""
SOURCES = Path(__file__).resolve().parents[3] / "runtime/gdq_engine"
_TARGET = "aarch64-linux-gnu.2.17"
"""As old a glibc as wheels ask for (hatch_build.py)."""
_SETTINGS = (
    # A release, but for the names of functions: by them it is told where cycles go.
    "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
    "-DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O3 -DNDEBUG -gline-tables-only",
    "-DGDQ_TESTS=ON",
    "-DGDQ_BENCH=ON",
)


def install_tools(constraints: Sequence[str], folder: Path) -> None:
    """Install compiler and build tools, which run here, into a folder.

    Raises:
        SetupError: pip fails.

    """
    pins = folder / "constraints.txt"
    pins.write_text("\n".join(constraints) + "\n", encoding="utf-8")
    run_command(
        [
            sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
            "--no-input", f"--target={folder}", "--only-binary=:all:", f"--constraint={pins}",
            *TOOLS,
        ]
    )  # fmt: skip


def build_engine(tools: Path, folder: Path) -> None:
    """Compile what changed since the last time.

    Args:
        tools: what ``install_tools`` filled.
        folder: the build folder, which the library is written to.

    Raises:
        SetupError: the compiler fails.

    """
    compiler = shlex.join([str(tools / "ziglang/zig"), "c++", "-target", _TARGET])
    cache = str(folder.with_name("zig"))
    environment = {
        **os.environ,
        "CXX": compiler,
        "PYTHONPATH": str(tools),
        "ZIG_GLOBAL_CACHE_DIR": cache,
        "ZIG_LOCAL_CACHE_DIR": cache,
    }
    cmake, ninja = tools / "bin/cmake", tools / "bin/ninja"
    settings = [*_SETTINGS, f"-DCMAKE_MAKE_PROGRAM={ninja}"]
    configure: list[str | Path] = [cmake, "-S", SOURCES, "-B", folder, "-G", "Ninja", *settings]
    run_command(configure, environment)
    run_command([cmake, "--build", folder], environment)
