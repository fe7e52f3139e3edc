from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from gdq_runtime.bundle.schema import SCHEMA_PATH, create_schema
from runtime.tiny_bundle import read_manifest, write_tiny_bundle


def test_the_committed_schema_is_in_step() -> None:
    assert SCHEMA_PATH.read_text(encoding="utf-8") == create_schema(), (
        "run python -m gdq_runtime.bundle.schema"
    )


def test_the_schema_accepts_a_manifest_and_refuses_unknown_keys(tmp_path: Path) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(create_schema()))
    manifest = read_manifest(write_tiny_bundle(tmp_path / "bundle"))
    validator.validate(manifest)
    manifest["tiling"]["novelty"] = 1
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(manifest)
