"""Compile the engine and its JNI face as libraries of Android (arm64), without the NDK.

``PYTHONPATH=tests python -m android.bionic.libraries UNIDBG.jar FOLDER`` writes
``FOLDER/lib/arm64-v8a/*.so`` and fails where one of them would not load on a phone.
"""

from __future__ import annotations

import inspect
import os
import shlex
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

from android.bionic import elf, headers, sysroot
from android.bionic.check import complaints
from android.bionic.sysroot import TARGET, describe_sysroot, make_sysroot, zig
from gdq_devices.commands import run_command
from gdq_devices.emulated.once import build_once

ROOT = Path(__file__).resolve().parents[3]
PROJECT = ROOT / "android_demo/jni"
ABI = "arm64-v8a"
_BUILT = ("gdq_engine/libgdq_engine.so", "libgdq_jni.so")


def build_libraries(unidbg: Path, java: Path, folder: Path) -> Path:
    """Compile what changed since the last time, and return the folder of the libraries.

    Args:
        unidbg: the archive of unidbg-android.
        java: home of a JDK, whose jni.h is taken.
        folder: holds all of it.

    """
    system, cache = folder / "sysroot", folder / "zig"

    def prepare(place: Path) -> None:
        make_sysroot(unidbg, place)
        # zig does not know which headers the C++ library in its cache was built with.
        shutil.rmtree(cache, ignore_errors=True)

    build_once(system, _recipe(unidbg), prepare)
    described = folder / "libc.txt"
    describe_sysroot(system, described)
    environment = {
        **os.environ,
        "CXX": shlex.join(map(str, zig("c++", "-target", TARGET))),
        "ZIG_LIBC": str(described),
        "ZIG_GLOBAL_CACHE_DIR": str(cache),
        "ZIG_LOCAL_CACHE_DIR": str(cache),
    }
    settings = [
        "-DCMAKE_BUILD_TYPE=Release",
        f"-DGDQ_JNI_INCLUDE={java / 'include'}",
        "-DGDQ_ANDROID_PAGES=ON",
    ]
    build = folder / "build"
    run_command(["cmake", "-S", PROJECT, "-B", build, "-G", "Ninja", *settings], environment)
    run_command(["cmake", "--build", build], environment)
    libraries = folder / "lib" / ABI
    libraries.mkdir(parents=True, exist_ok=True)
    for built in _BUILT:
        shutil.copy2(build / built, libraries)
    return libraries


def _recipe(unidbg: Path) -> str:
    """Return what determines the sysroot."""
    sources = (elf, headers, sysroot)
    contents = "\n".join(inspect.getsource(source) for source in sources)
    return f"{unidbg.name} zig {version('ziglang')}\n{contents}"


def main(unidbg: Path, folder: Path) -> None:
    java = Path(os.environ["JAVA_HOME"])
    libraries = build_libraries(unidbg, java, folder)
    found = complaints(sorted(libraries.glob("*.so")), folder / "sysroot/system")
    if found:
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
