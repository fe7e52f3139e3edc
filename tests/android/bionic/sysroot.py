"""A sysroot to link libraries of Android (arm64) against, without the NDK.

The system libraries are those of Android 6, which unidbg brings to run programs on. Today's linkers
refuse them ("invalid local symbol"), so they are linked against as stubs: libraries that show the
same symbols and do nothing. As Android 6 is older than what the engine is for (8), whatever links
here finds all it asks for on a phone.
"""

from __future__ import annotations

import sys
import zipfile
from collections import defaultdict
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from android.bionic.elf import Symbol, read_library
from android.bionic.headers import write_headers
from gdq_devices.commands import run_command

SYSTEM_LIBRARIES = ("libc", "libm", "libdl", "liblog")
_PLACE = "android/sdk23/lib64"
"""Of the libraries in unidbg's archive."""

TARGET = "aarch64-linux-android.26"
_BARE_TARGET = "aarch64-linux-musl"
"""For what links no system library; of the same calling convention."""

_INTERNAL = {"_init", "_fini", "__dso_handle", "_edata", "_end", "__bss_start"}

_START_OF_LIBRARY = """\
extern void __cxa_finalize(void *);
__attribute__((visibility("hidden"))) void *__dso_handle = &__dso_handle;
__attribute__((destructor)) static void on_dlclose(void) { __cxa_finalize(&__dso_handle); }
"""
_START_OF_PROGRAM = """\
/* CMake's checks link programs; none of them runs. */
void _start(void) { for (;;) {} }
__attribute__((visibility("hidden"))) void *__dso_handle;
"""
_OBJECTS = {
    "crtbegin_so": _START_OF_LIBRARY,
    "crtend_so": "",
    "crtbegin_dynamic": _START_OF_PROGRAM,
    "crtend_android": "",
}
"""What a linker for Android puts around the objects of a library or program."""


def zig(*arguments: str | Path) -> list[str | Path]:
    """Return the command that runs zig, which is Clang and LLD."""
    return [sys.executable, "-m", "ziglang", *arguments]


def make_sysroot(unidbg: Path, folder: Path) -> None:
    """Write a sysroot.

    Args:
        unidbg: the archive of unidbg-android.
        folder: empty.

    """
    include, start, system = (folder / name for name in ("include", "crt", "system"))
    for place in (include, start, system):
        place.mkdir(parents=True)
    write_headers(_zig_folder(), include)
    unpack_system(unidbg, system)
    for name in SYSTEM_LIBRARIES:
        _write_stub(read_library(system / f"{name}.so").shown, name, start)
    for name, source in _OBJECTS.items():
        (start / f"{name}.c").write_text(source, encoding="utf-8")
        _compile(["-c", "-fPIC", "-O2", "-o", start / f"{name}.o", start / f"{name}.c"])


def describe_sysroot(folder: Path, file: Path) -> None:
    """Write the file that the variable ZIG_LIBC names."""
    include, start = folder / "include", folder / "crt"
    places = {
        "include_dir": include, "sys_include_dir": include, "crt_dir": start, "cc_dir": start,
        "msvc_lib_dir": "", "kernel32_lib_dir": "", "darwin_sdk_dir": "",
    }  # fmt: skip
    lines = (f"{key}={place}\n" for key, place in places.items())
    file.write_text("".join(lines), encoding="utf-8")


def unpack_system(unidbg: Path, folder: Path) -> None:
    """Unpack the real system libraries of Android 6."""
    with zipfile.ZipFile(unidbg) as archive:
        for name in SYSTEM_LIBRARIES:
            (folder / f"{name}.so").write_bytes(archive.read(f"{_PLACE}/{name}.so"))


def _zig_folder() -> Path:
    found = find_spec("ziglang")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


def _compile(arguments: Sequence[str | Path]) -> None:
    run_command(zig("cc", "-target", _BARE_TARGET, "-nostdlib", *arguments))


def _write_stub(symbols: Sequence[Symbol], name: str, folder: Path) -> None:
    """Link a library with the same functions, data of the same sizes, and the same versions."""
    wanted = [
        symbol for symbol in symbols
        if symbol.version != "LIBC_PRIVATE" and symbol.name not in _INTERNAL
    ]  # fmt: skip
    assembly, versions = folder / f"{name}.s", folder / f"{name}.map"
    assembly.write_text("".join(map(_assembly, wanted)), encoding="utf-8")
    options: list[str | Path] = ["-shared", f"-Wl,-soname,{name}.so"]
    if script := _version_script(wanted):
        versions.write_text(script, encoding="utf-8")
        options.append(f"-Wl,--version-script={versions}")
    _compile([*options, "-o", folder / f"{name}.so", assembly])


def _assembly(symbol: Symbol) -> str:
    name = symbol.name
    if symbol.is_data:
        return (
            f".bss\n.globl {name}\n.type {name}, %object\n.size {name}, {symbol.size}\n"
            f".balign 16\n{name}: .skip {symbol.size}\n"
        )
    return f".text\n.globl {name}\n.type {name}, %function\n{name}: brk #1\n"


def _version_script(symbols: Sequence[Symbol]) -> str:
    by_version: dict[str, list[str]] = defaultdict(list)
    for symbol in symbols:
        if symbol.version:
            by_version[symbol.version].append(symbol.name)
    return "".join(
        f"{version} {{ global: {' '.join(f'{name};' for name in names)} local: *; }};\n"
        for version, names in by_version.items()
    )
