from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.made_up import phone_result, result
from gdq_bench.protocol import BenchResult
from gdq_bench.results import read_result
from gdq_core.errors import RequestError


def write(folder: Path, content: object) -> Path:
    path = folder / "result.json"
    path.write_text(json.dumps(content))
    return path


def as_version_1(made: BenchResult) -> dict[str, Any]:
    """What gdq-bench wrote before it knew phones."""
    content = made.model_dump(mode="json")
    for key in ("emulated", "device", "sustained", "heat", "reasons"):
        del content[key]
    del content["settings"]["inputs"]
    for row in (*content["tiles"], *content["pictures"]):
        del row["cluster"], row["rounds"]
    return content | {"schema_version": 1}


@pytest.mark.parametrize("made", [result(), phone_result()])
def test_what_was_written_is_read(tmp_path: Path, made: BenchResult) -> None:
    assert read_result(write(tmp_path, made.model_dump(mode="json"))) == made


def test_version_1_is_read(tmp_path: Path) -> None:
    read = read_result(write(tmp_path, as_version_1(result())))
    assert read.settings.inputs is None
    assert {len(row.rounds) for row in (*read.tiles, *read.pictures)} == {0}
    assert read.is_valid


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ([], "is not a result of gdq-bench"),
        ({"schema_version": 2, "engines": []}, "is not a result of gdq-bench"),
        (result().model_dump(mode="json") | {"schema_version": 3}, "has schema version 3"),
        (result().model_dump(mode="json") | {"target": "moon"}, "is damaged at target"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: object, sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        read_result(write(tmp_path, content))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="is not a file"):
        read_result(tmp_path)
