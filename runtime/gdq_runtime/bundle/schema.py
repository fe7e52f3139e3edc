"""The manifest's JSON Schema, for implementations in other languages.

``python -m gdq_runtime.bundle.schema`` writes it again; a test fails while it is out of date.
"""

from __future__ import annotations

import json
from pathlib import Path

from gdq_runtime.bundle.manifest import Manifest

SCHEMA_PATH = Path(__file__).with_name("manifest.schema.json")


def create_schema() -> str:
    """Return the text of the schema, made from the pydantic models."""
    schema = Manifest.model_json_schema()
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return json.dumps(schema, indent=2) + "\n"


if __name__ == "__main__":
    SCHEMA_PATH.write_text(create_schema(), encoding="utf-8")
