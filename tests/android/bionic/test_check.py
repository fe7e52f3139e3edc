"""The check of libraries for Android, on libraries of a few lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from android.bionic.check import complaints
from android.bionic.sysroot import SYSTEM_LIBRARIES, zig
from gdq_devices.commands import run_command

GOOD = "-Wl,-z,max-page-size=16384"

Link = Callable[..., Path]


@pytest.fixture
def link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Link:
    for cache in ("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR"):
        monkeypatch.setenv(cache, str(tmp_path / "zig"))

    def link(name: str, code: str, *options: str, target: str = "aarch64-linux-musl") -> Path:
        source, library = tmp_path / f"{name}.c", tmp_path / f"{name}.so"
        source.write_text(code, encoding="utf-8")
        command = zig("cc", "-target", target, "-nostdlib", "-shared", "-o", library, source)
        run_command([*command, f"-Wl,-soname,{name}.so", *options])
        return library

    return link


@pytest.fixture
def system(link: Link, tmp_path: Path) -> Path:
    for name in SYSTEM_LIBRARIES:
        link(name, f"int in_{name}(void) {{ return 1; }}")
    return tmp_path


def test_passes_what_loads_on_a_phone(link: Link, system: Path) -> None:
    own = link("libown", "int in_libc(void); int own(void) { return in_libc(); }", GOOD)
    user = link("libuser", "int own(void); int use(void) { return own(); }", GOOD, str(own))
    assert complaints([own, user], system) == []


def test_names_what_would_not(link: Link, system: Path) -> None:
    other = link("libother", "int other(void) { return 1; }")
    bad = link("libbad", "int other(void); int bad(void) { return other(); }",
               "-Wl,-z,max-page-size=4096", str(other))  # fmt: skip
    found = complaints([bad], system)
    assert found[:2] == [
        "libbad.so needs libother.so",
        "libbad.so asks for other, which Android 6 lacks",
    ]
    assert len(found) == 3
    assert "4096" in found[2]


def test_refuses_thread_local_storage(link: Link, system: Path) -> None:
    code = "__thread int n; int *where(void) { return &n; }"
    bad = link("libbad", code, GOOD, "-fno-emulated-tls", "-ftls-model=initial-exec")
    assert any("thread-local" in complaint for complaint in complaints([bad], system))


def test_refuses_another_processor(link: Link, system: Path) -> None:
    bad = link("libbad", "int bad(void) { return 1; }", GOOD, target="x86_64-linux-musl")
    assert complaints([bad], system) == ["libbad.so is for x64"]
