"""Build the library of the engine gdq for the wheel, or in place for an editable install.

It is C++ (runtime/gdq_engine). An installation without it works too, on ONNX Runtime: without a
working compiler, a pure wheel is built. The variable GDQ_BUILD_ENGINE changes this: 0 does not try
to build the library, 1 makes a failure an error.
"""

from __future__ import annotations

import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
SOURCES = ROOT / "runtime/gdq_engine"
BUILD = ROOT / "build"
LIBRARY = {"darwin": "libgdq_engine.dylib", "win32": "gdq_engine.dll"}.get(
    sys.platform, "libgdq_engine.so"
)
PLACE = f"gdq_runtime/native/{LIBRARY}"
"""Where the runtime looks for the library (engines/native_library.py)."""
TEST_LIBRARY = BUILD / "engine" / LIBRARY.replace("gdq_engine", "gdq_engine_test")
"""The library that tests/engine load; an editable install builds it too, and leaves it here."""
TEST_PROGRAM = BUILD / "engine/tools/gdq_run"
"""The program that measures (docs/gdq_run.md), on Linux, built likewise."""

ZIG = "ziglang"
COMPILERS = ("clang++", "g++", "c++", ZIG)
"""The first one found is used; zig, which is Clang, can always be installed from PyPI."""

CMAKE_VERSION = (3, 22)
PACKAGES = {"cmake": "cmake>=3.22", "ninja": "ninja>=1.10", ZIG: "ziglang==0.17.1"}
"""Packages that contain the tools. zig is pinned because its flags still change."""
PACKAGED = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}
"""Processors for which those packages have wheels, with zig's names for them."""

OLDEST_GLIBC = "2.17"
"""The version of manylinux2014, for zig; other compilers use that of the building machine."""


class BuildError(Exception):
    """The library cannot be built; the message is one sentence."""


def find_compiler() -> list[str] | None:
    """Return the command of the C++ compiler: CXX, or else the first of ``COMPILERS`` found."""
    if given := shlex.split(os.environ.get("CXX", "")):
        return given
    for name in COMPILERS:
        if name == ZIG and (zig := find_spec(ZIG)) and zig.origin and _is_packaged():
            return [str(Path(zig.origin).with_name("zig")), "c++", "-target", _zig_target()]
        if path := shutil.which(name):
            return [path]
    return None


def missing_packages() -> list[str]:
    """Return the packages that pip must install for the build: the tools that are missing here."""
    if not _is_packaged():
        return []
    missing = [] if _has_cmake() else ["cmake"]
    if shutil.which("ninja") is None:
        missing.append("ninja")
    wanted = COMPILERS[: COMPILERS.index(ZIG)]
    if not os.environ.get("CXX") and not any(map(shutil.which, wanted)):
        missing.append(ZIG)
    return [PACKAGES[tool] for tool in missing]


def build_library(*, with_tests: bool) -> Path:
    """Compile the library; return its path, which the next build overwrites.

    Args:
        with_tests: also compile ``TEST_LIBRARY``, ``TEST_PROGRAM`` and the tests in C++.

    Raises:
        BuildError: a tool is missing, or the compiler fails.

    """
    compiler, ninja = find_compiler(), shutil.which("ninja")
    if compiler is None or ninja is None or not _has_cmake():
        raise BuildError("there is no C++17 compiler, CMake 3.22 or Ninja")
    folder = BUILD / "engine"
    _forget_other_tools(folder, [str(shutil.which("cmake")), ninja, *compiler])
    # zig caches what it compiles for its own use, such as the C++ library.
    caches = {f"ZIG_{kind}_CACHE_DIR": str(BUILD / "zig") for kind in ("GLOBAL", "LOCAL")}
    environment = {**os.environ, **caches, "CXX": shlex.join(compiler)}
    configure = ["cmake", "-S", str(SOURCES), "-B", str(folder), "-G", "Ninja"]
    tests = "ON" if with_tests else "OFF"
    tools = "ON" if with_tests and sys.platform == "linux" else "OFF"
    settings = ["-DCMAKE_BUILD_TYPE=Release", f"-DGDQ_TESTS={tests}", f"-DGDQ_TOOLS={tools}"]
    _run([*configure, *settings], environment)
    _run(["cmake", "--build", str(folder)], environment)
    return folder / LIBRARY


class EngineBuildHook(BuildHookInterface[Any]):
    """The build hook that hatchling calls (pyproject.toml)."""

    def dependencies(self) -> list[str]:
        """Return the packages that the build needs here."""
        return [] if _wish() == "0" else missing_packages()

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the library and put it into the wheel, or beside the sources if editable."""
        beside_sources = ROOT / "runtime" / PLACE
        if version == "editable":
            # If the build fails now, an older library must not pass for a new one.
            beside_sources.unlink(missing_ok=True)
        if _wish() == "0":
            self.app.display_warning("the engine gdq is left out: GDQ_BUILD_ENGINE=0")
            return
        try:
            library = build_library(with_tests=version == "editable")
        except (BuildError, OSError) as error:
            if _wish() == "1":
                self.app.abort(f"the engine gdq cannot be built: {error}")
            self.app.display_warning(f"the engine gdq is left out: it cannot be built: {error}")
            return
        if version == "editable":
            beside_sources.parent.mkdir(exist_ok=True)
            shutil.copy2(library, beside_sources)
        else:
            machine = self.build_config.builder.get_best_matching_tag().rpartition("-")[2]
            build_data["force_include"][str(library)] = PLACE
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{machine}"


def _wish() -> str:
    wish = os.environ.get("GDQ_BUILD_ENGINE", "")
    if wish not in ("", "0", "1"):
        raise ValueError(f"GDQ_BUILD_ENGINE is {wish!r}; set it to 0 or 1, or unset it")
    return wish


def _has_cmake() -> bool:
    try:
        told = subprocess.run(["cmake", "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    version = re.search(r"(\d+)\.(\d+)", told.stdout)
    return version is not None and tuple(map(int, version.groups())) >= CMAKE_VERSION


def _is_packaged() -> bool:
    return platform.machine().lower() in PACKAGED


def _zig_target() -> str:
    """Return zig's target; without one, zig would compile for exactly this processor."""
    machine = PACKAGED[platform.machine().lower()]
    if sys.platform == "linux":
        is_musl = "musl" in (sysconfig.get_config_var("HOST_GNU_TYPE") or "")
        return f"{machine}-linux-musl" if is_musl else f"{machine}-linux-gnu.{OLDEST_GLIBC}"
    return f"{machine}-macos" if sys.platform == "darwin" else f"{machine}-windows-gnu"


def _forget_other_tools(folder: Path, tools: list[str]) -> None:
    """Empty the folder if other tools built in it: CMake keeps paths that pip deletes."""
    note, now = folder / "tools.txt", "\n".join(tools)
    if not note.is_file() or note.read_text(encoding="utf-8") != now:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        note.write_text(now, encoding="utf-8")


def _run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        last = "\n".join(done.stdout.splitlines()[-20:])
        raise BuildError(f"{shlex.join(command)} failed:\n{last}")
