from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import hatch_build
import pytest
from hatch_build import COMPILERS, PACKAGES, ZIG, find_compiler, missing_packages
from packaging.requirements import Requirement

from gdq_devices.program import PARTS, SOURCES
from gdq_runtime.engines import native_library

ROOT = Path(hatch_build.__file__).parent
FUNCTION = 'extern "C" __attribute__((visibility("default"))) int gdq_abi_version() { return 1; }\n'

needs_tools = pytest.mark.skipif(
    bool(missing_packages()), reason="no C++ compiler, CMake 3.22 or Ninja on this machine"
)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole PATH."""
    folder = tmp_path / "tools"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("CXX", raising=False)
    return folder


def add_tool(folder: Path, name: str, prints: str = "") -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{prints}'\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_a_machine_that_has_all_downloads_nothing(tools: Path) -> None:
    add_tool(tools, "cmake", "cmake version 3.22.1")
    add_tool(tools, "ninja")
    compiler = add_tool(tools, "g++")
    assert missing_packages() == []
    assert find_compiler() == [compiler]


def test_a_bare_machine_downloads_all(tools: Path) -> None:
    assert missing_packages() == list(PACKAGES.values())


def test_an_old_cmake_is_as_good_as_none(tools: Path) -> None:
    add_tool(tools, "cmake", "cmake version 3.9.6")
    add_tool(tools, "ninja")
    add_tool(tools, "clang++")
    assert missing_packages() == [PACKAGES["cmake"]]


def test_takes_the_first_compiler_of_the_list(tools: Path) -> None:
    paths = [add_tool(tools, name) for name in COMPILERS if name != ZIG]
    assert find_compiler() == paths[:1]


def test_cxx_chooses_another(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_tool(tools, COMPILERS[0])
    monkeypatch.setenv("CXX", "ccache 'my c++'")
    assert find_compiler() == ["ccache", "my c++"]
    assert PACKAGES[ZIG] not in missing_packages()


def test_nothing_is_downloaded_if_nothing_is_built(
    tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GDQ_BUILD_ENGINE", "0")
    hook = hatch_build.EngineBuildHook(str(ROOT), {}, None, None, "", "wheel")  # type: ignore[arg-type]
    assert hook.dependencies() == []
    monkeypatch.setenv("GDQ_BUILD_ENGINE", "1")
    assert hook.dependencies() == list(PACKAGES.values())
    monkeypatch.setenv("GDQ_BUILD_ENGINE", "yes")
    with pytest.raises(
        ValueError, match="GDQ_BUILD_ENGINE is 'yes'; set it to 0 or 1, or unset it"
    ):
        hook.dependencies()


def test_packages_have_exact_versions_for_make() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = {line.split("==")[0]: line.split("==")[1] for line in lines if "==" in line}
    for need in map(Requirement, PACKAGES.values()):
        assert need.specifier.contains(pins[need.name])


def test_the_runtime_looks_where_the_library_is_put() -> None:
    packages = Path(native_library.__file__).parents[2]
    assert packages / hatch_build.PLACE == native_library.LIBRARY


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Our build files, with packages of one file each and a library of one function."""
    monkeypatch.delenv("GDQ_BUILD_ENGINE", raising=False)
    folder = tmp_path / "project"
    folder.mkdir()
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, folder)
    for package in ("models/gdq_models", "exporter/gdq_exporter", "runtime/gdq_runtime"):
        (folder / package).mkdir(parents=True)
        (folder / package / "__init__.py").touch()
    sources = folder / "runtime/gdq_engine"
    left_out = shutil.ignore_patterns("src", "test", "tools")
    shutil.copytree(ROOT / "runtime/gdq_engine", sources, ignore=left_out)
    (sources / "src/isa").mkdir(parents=True)
    for part in ("test", "tools"):
        (sources / part).mkdir()
        (sources / part / "CMakeLists.txt").touch()
    (sources / "src/engine.cpp").write_text(FUNCTION, encoding="utf-8")
    for isa in ("scalar", "avx2", "avxvnni", "avx512vnni", "neon", "dotprod", "i8mm"):
        (sources / f"src/isa/{isa}.cpp").touch()
    return folder


def build(project: Path, kind: str = "wheel") -> subprocess.CompletedProcess[str]:
    """What pip does: asks hatchling for a wheel, in the project's folder."""
    program = f"from hatchling.build import build_{kind} as build; build('dist')"
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=project, capture_output=True, text=True)


def wheel_of(project: Path) -> Path:
    (wheel,) = (project / "dist").glob("*.whl")
    return wheel


@needs_tools
def test_a_wheel_brings_the_library_for_one_platform(project: Path) -> None:
    done = build(project)
    assert done.returncode == 0, done.stderr
    wheel = wheel_of(project)
    assert "-py3-none-" in wheel.name
    assert not wheel.name.endswith("-any.whl")
    with ZipFile(wheel) as archive:
        archive.extract(hatch_build.PLACE, project)
    assert ctypes.CDLL(str(project / hatch_build.PLACE)).gdq_abi_version() == 1
    assert not (project / "runtime" / hatch_build.PLACE).exists()


@needs_tools
def test_an_editable_install_has_it_beside_the_sources(project: Path) -> None:
    done = build(project, "editable")
    assert done.returncode == 0, done.stderr
    assert (project / "runtime" / hatch_build.PLACE).is_file()


@needs_tools
def test_a_failing_compiler_leaves_a_pure_wheel(project: Path) -> None:
    (project / "runtime/gdq_engine/src/engine.cpp").write_text("nonsense;\n", encoding="utf-8")
    done = build(project)
    assert done.returncode == 0, done.stderr
    assert "the engine gdq is left out: it cannot be built: cmake --build" in done.stderr
    assert "nonsense" in done.stderr
    assert wheel_of(project).name.endswith("-py3-none-any.whl")


@needs_tools
def test_an_old_library_does_not_outlive_a_failing_compiler(project: Path) -> None:
    assert build(project, "editable").returncode == 0
    (project / "runtime/gdq_engine/src/engine.cpp").write_text("nonsense;\n", encoding="utf-8")
    assert build(project, "editable").returncode == 0
    assert not (project / "runtime" / hatch_build.PLACE).exists()


def test_a_library_that_must_be_built_is_an_error(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GDQ_BUILD_ENGINE", "1")
    monkeypatch.setenv("CXX", "there-is-no-such-compiler")
    done = build(project)
    assert done.returncode != 0
    assert "the engine gdq cannot be built: " in done.stderr
    assert not (project / "dist").exists() or not list((project / "dist").iterdir())


def test_a_wheel_without_the_library_is_for_all_platforms(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GDQ_BUILD_ENGINE", "0")
    done = build(project)
    assert done.returncode == 0, done.stderr
    assert "the engine gdq is left out: GDQ_BUILD_ENGINE=0" in done.stderr
    assert wheel_of(project).name.endswith("-py3-none-any.whl")
    assert not (project / "build").exists()


def test_a_wheel_carries_the_sources_of_gdq_run(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the place where gdq_devices looks for them: beside itself."""
    monkeypatch.setenv("GDQ_BUILD_ENGINE", "0")
    assert build(project).returncode == 0
    with ZipFile(wheel_of(project)) as archive:
        names = archive.namelist()
    assert SOURCES == ROOT / "runtime/gdq_engine"
    for part in PARTS:
        assert any(name.startswith(f"{SOURCES.name}/{part}") for name in names)
    assert not any("/test/" in name or "/bench/" in name for name in names)
