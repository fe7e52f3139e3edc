"""Tests on emulated processors: selected by ``make test-arm64``, which first sets these up.

A plain pytest passes this folder by (``norecursedirs`` in pyproject.toml).
"""

from __future__ import annotations

import pytest

from arm64.answers import ANSWERS, summary_lines


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Shows what was measured, whether or not it passed."""
    if answers := config.stash.get(ANSWERS, {}):
        terminalreporter.section("numerics on ARM64")
        for line in summary_lines(answers):
            terminalreporter.write_line(line)
