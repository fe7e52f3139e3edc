from __future__ import annotations

from pathlib import Path

import pytest
from packaging.requirements import Requirement

from gdq_devices.emulated.engine import TOOLS, build_engine
from gdq_devices.errors import SetupError

CONSTRAINTS = Path(__file__).resolve().parents[3] / "constraints.txt"


def test_every_tool_has_a_version() -> None:
    lines = CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    pinned = {Requirement(line).name for line in lines if line and not line.startswith("#")}
    assert set(TOOLS) <= pinned


def test_tools_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"cannot start .*/tools/bin/cmake: No such file"):
        build_engine(tmp_path / "tools", tmp_path / "engine")
