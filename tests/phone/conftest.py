"""Tests that run beside test phones: selected by ``make test-phone``, which first sets these up.

A plain pytest passes this folder by (``norecursedirs`` in pyproject.toml). What all tests need is
made once, by the process that starts the others.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from phone.inside import BUNDLE, IS_INSIDE, PHOTOS, PROGRAM


def pytest_configure(config: pytest.Config) -> None:
    if IS_INSIDE or hasattr(config, "workerinput") or BUNDLE in os.environ:
        return
    folder = Path(tempfile.mkdtemp(prefix="gdq-phone."))
    config.add_cleanup(lambda: _remove(folder))
    os.environ |= {
        BUNDLE: str(_export(folder)),
        PHOTOS: str(_write_photos(folder)),
        PROGRAM: str(_build()),
    }


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own: all test phones have the same serial."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def here(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and the current one."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def _export(folder: Path) -> Path:
    from factories import tiny_edsr
    from gdq_exporter import ExportConfig, export
    from gdq_models import save_checkpoint

    save_checkpoint(tiny_edsr(2, seed=1).eval(), folder / "tiny.safetensors")
    config = ExportConfig(tile=32, overlap=4, formats=("engine", "onnx"))
    export(folder / "tiny.safetensors", folder / "tiny", config)
    return folder / "tiny"


def _write_photos(folder: Path) -> Path:
    from core.made_pictures import png_bytes, random_image

    photos = folder / "photos"
    photos.mkdir()
    (photos / "a.png").write_bytes(png_bytes(random_image(80, 100, seed=1)))
    return photos


def _build() -> Path:
    from gdq_devices.program import build_program

    return build_program("aarch64-linux-musl", print)


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
