from __future__ import annotations

import os
from pathlib import Path

import pytest

from gdq_core.errors import OutputError
from gdq_core.files.text import check_text_target, save_text


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "result.json"
    target.write_text("old")
    check_text_target(target, overwrite=True)
    save_text(target, "größer\n")
    assert target.read_bytes() == "größer\n".encode()
    assert list(tmp_path.iterdir()) == [target]


def test_an_existing_file_is_kept_unless_asked(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text("old")
    with pytest.raises(OutputError, match="--overwrite"):
        check_text_target(tmp_path / "result.json", overwrite=False)
    with pytest.raises(OutputError, match="exists"):
        check_text_target(tmp_path, overwrite=True)


def test_a_folder_must_be_there_and_writable(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="there is no folder"):
        check_text_target(tmp_path / "absent" / "result.json", overwrite=False)
    if os.access("/proc/self", os.W_OK):
        pytest.skip("no folder here that refuses this user")
    with pytest.raises(OutputError, match="no permission"):
        check_text_target(Path("/proc/self/result.json"), overwrite=False)


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(OutputError, match="cannot be written"):
        save_text(tmp_path / "taken", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_a_name_that_no_file_can_have(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        check_text_target(tmp_path / ("x" * 300), overwrite=False)
