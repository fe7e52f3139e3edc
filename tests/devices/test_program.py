from __future__ import annotations

from pathlib import Path

import pytest

from gdq_devices import program
from gdq_devices.errors import SetupError
from gdq_devices.program import TARGETS, build_program


def test_what_the_cache_has_is_not_built_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def build(target: str, folder: Path, zig_cache: Path) -> Path:
        made = folder / "made"
        made.write_text(target)
        return made

    monkeypatch.setattr(program, "_build", build)
    made = [build_program(target, said.append, tmp_path) for target in TARGETS]
    assert [path.read_text() for path in made] == list(TARGETS)
    assert len(said) == len(TARGETS)
    assert "aarch64-linux-musl" in said[0]
    assert build_program(TARGETS[0], said.append, tmp_path) == made[0]
    assert len(said) == len(TARGETS)
    assert {path.name for path in (tmp_path / "gdq_run").iterdir()} == {path.name for path in made}


def test_other_sources_are_another_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = tmp_path / "gdq_engine"
    for part in ("include", "src", "tools"):
        (sources / part).mkdir(parents=True)
        (sources / part / "file.h").write_text("")
    for name in ("CMakeLists.txt", "gdq_engine.map"):
        (sources / name).write_text("")
    monkeypatch.setattr(program, "SOURCES", sources)
    monkeypatch.setattr(program, "_build", lambda _, folder, __: _touch(folder / "made"))
    first = build_program(TARGETS[0], print, tmp_path)
    (sources / "src/file.h").write_text("//")
    assert build_program(TARGETS[0], print, tmp_path) != first


def _touch(path: Path) -> Path:
    path.touch()
    return path


@pytest.mark.parametrize("tool", ["cmake", "ninja"])
def test_a_missing_tool_is_named_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: str
) -> None:
    other = tmp_path / ("ninja" if tool == "cmake" else "cmake")
    other.write_text("")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(SetupError, match=rf"{tool} is not installed: pip install .*\[device\]"):
        build_program(TARGETS[0], print, tmp_path)


def test_a_cache_that_cannot_be_written_is_an_error() -> None:
    with pytest.raises(SetupError, match=r"gdq_run cannot be built: .*Not a directory"):
        build_program(TARGETS[0], print, Path("/dev/null"))


def test_sources_that_are_missing_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "SOURCES", tmp_path)
    with pytest.raises(SetupError, match=r"CMakeLists\.txt, of its sources, is missing"):
        build_program(TARGETS[0], print, tmp_path)
