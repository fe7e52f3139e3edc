from __future__ import annotations

import io
import sys

import pytest

from gdq_core.cli.progress import TileProgress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with TileProgress("photo.png") as progress:
        for done in range(1, 11):
            progress(done, 10)
    assert "photo.png" in terminal.getvalue()
    assert "100%" in terminal.getvalue()


def test_a_log_stays_clean(capsys: pytest.CaptureFixture[str]) -> None:
    with TileProgress("photo.png") as progress:
        progress(1, 1)
    assert capsys.readouterr() == ("", "")
