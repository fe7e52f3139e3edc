"""Builds ``gdq_run``, the native program that measures (docs/gdq_run.md), for any machine.

Wheels carry its sources and no binary. zig, which is Clang with the headers and libraries of every
system, builds it on first use into the user's cache.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, get_args

from gdq_core.files.caches import cache_folder
from gdq_devices.commands import run_command
from gdq_devices.errors import SetupError

Target = Literal["aarch64-linux-musl", "x86_64-linux-musl", "aarch64-linux-gnu", "x86_64-linux-gnu"]
"""musl: linked statically, runs on any Linux and any Android; gnu: loads libraries, needs glibc."""

TARGETS: tuple[Target, ...] = get_args(Target)

NAME = "gdq_run"
SOURCES = Path(__file__).resolve().parents[1] / "gdq_engine"
"""Beside this package in the repository, and in a wheel (pyproject.toml)."""
PARTS = ("CMakeLists.txt", "gdq_engine.map", "include", "src", "tools")
"""What it is built from."""

_OLDEST_GLIBC = "2.17"
"""As old as wheels ask for (hatch_build.py)."""
_REMEDY = "pip install 'granular-dq-mobile[device]'"


def build_program(target: Target, say: Callable[[str], None], cache: Path | None = None) -> Path:
    """Return the program for a target; it is built unless the cache has it.

    Args:
        target: the machine that it is to run on.
        say: called with a line before it is built, which takes minutes the first time.
        cache: folder to keep it in; None for the user's.

    Raises:
        SetupError: a tool is missing, the cache cannot be written, or the compiler fails.

    """
    try:
        folder = (cache_folder() if cache is None else cache) / NAME
        program = folder / f"{NAME}-{target}-{_recipe(target)}"
        if not program.is_file():
            say(f"building {NAME} for {target} into {folder}; this takes some minutes, once")
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder, prefix=".build-") as build:
                _build(target, Path(build), folder / "zig").replace(program)
    except (OSError, RuntimeError) as error:
        raise SetupError(f"{NAME} cannot be built: {error}") from error
    return program


def _recipe(target: Target) -> str:
    """Return a name for all that determines the program."""
    recipe = hashlib.sha256(f"{target} {_zig_version()}".encode())
    for path in _source_files():
        recipe.update(f"\n{path.relative_to(SOURCES).as_posix()}\n".encode())
        recipe.update(path.read_bytes())
    return recipe.hexdigest()[:16]


def _source_files() -> Iterator[Path]:
    for part in PARTS:
        place = SOURCES / part
        files = [place] if place.is_file() else sorted(place.rglob("*"))
        if not files:
            raise SetupError(f"{NAME} cannot be built: {place}, of its sources, is missing")
        yield from (path for path in files if path.is_file())


def _build(target: Target, folder: Path, zig_cache: Path) -> Path:
    cmake, ninja = _find("cmake"), _find("ninja")
    zig = shlex.join([str(_zig()), "c++", "-target", _zig_target(target)])
    environment = {
        **os.environ,
        "CXX": zig,
        # What zig compiles for itself, such as the C++ library, takes longest and is kept.
        "ZIG_GLOBAL_CACHE_DIR": str(zig_cache),
        "ZIG_LOCAL_CACHE_DIR": str(zig_cache),
    }
    settings = ["-DCMAKE_BUILD_TYPE=Release", "-DGDQ_TOOLS=ON", f"-DCMAKE_MAKE_PROGRAM={ninja}"]
    configure = [cmake, "-S", str(SOURCES), "-B", str(folder), "-G", "Ninja", *settings]
    run_command(configure, environment)
    run_command([cmake, "--build", str(folder), "--target", NAME], environment)
    return folder / "tools" / NAME


def _zig_target(target: Target) -> str:
    return f"{target}.{_OLDEST_GLIBC}" if target.endswith("gnu") else target


def _zig() -> Path:
    found = find_spec("ziglang")
    if found is None or found.origin is None:
        raise SetupError(f"{NAME} cannot be built: ziglang is not installed: {_REMEDY}")
    return Path(found.origin).with_name("zig.exe" if sys.platform == "win32" else "zig")


def _zig_version() -> str:
    _zig()
    return version("ziglang")


def _find(tool: str) -> str:
    """Return a tool of this environment, or else of the system."""
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    found = shutil.which(tool, path=places)
    if found is None:
        raise SetupError(f"{NAME} cannot be built: {tool} is not installed: {_REMEDY}")
    return found
