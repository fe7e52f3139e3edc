from __future__ import annotations

from pathlib import Path

import pytest

from gdq_devices.emulated.once import build_once, is_built


def test_builds_once(tmp_path: Path) -> None:
    calls: list[Path] = []
    for _ in range(2):
        build_once(tmp_path / "part", "recipe", calls.append)
    assert len(calls) == 1
    assert is_built(tmp_path / "part", "recipe")


def test_another_recipe_builds_anew(tmp_path: Path) -> None:
    build_once(tmp_path / "part", "old", lambda folder: (folder / "old").touch())
    assert not is_built(tmp_path / "part", "new")
    build_once(tmp_path / "part", "new", lambda folder: (folder / "new").touch())
    assert is_built(tmp_path / "part", "new")
    assert not (tmp_path / "part/old").exists()


def test_what_breaks_half_way_is_not_built_and_leaves_nothing_to_the_next(tmp_path: Path) -> None:
    def break_half_way(folder: Path) -> None:
        (folder / "half").touch()
        raise OSError("no space left")

    for _ in range(2):
        with pytest.raises(OSError, match="no space left"):
            build_once(tmp_path / "part", "recipe", break_half_way)
        assert not is_built(tmp_path / "part", "recipe")
    build_once(tmp_path / "part", "recipe", lambda folder: (folder / "whole").touch())
    assert (tmp_path / "part/whole").exists()
    assert not (tmp_path / "part/half").exists()
