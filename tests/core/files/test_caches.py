from __future__ import annotations

from pathlib import Path

import pytest

from gdq_core.files.caches import cache_folder


@pytest.mark.parametrize(
    ("system", "environment", "folder"),
    [
        ("linux", {"XDG_CACHE_HOME": "/caches"}, Path("/caches")),
        ("linux", {"XDG_CACHE_HOME": "relative"}, Path.home() / ".cache"),
        ("linux", {}, Path.home() / ".cache"),
        ("darwin", {}, Path.home() / "Library" / "Caches"),
        ("win32", {"LOCALAPPDATA": "/local"}, Path("/local")),
    ],
)
def test_the_folder_follows_the_system(
    monkeypatch: pytest.MonkeyPatch, system: str, environment: dict[str, str], folder: Path
) -> None:
    monkeypatch.setattr("sys.platform", system)
    assert cache_folder(environment) == folder / "granular-dq-mobile"
