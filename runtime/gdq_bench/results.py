"""Reads results that were written as JSON, by this version or an older one."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from gdq_bench.protocol import SCHEMA_VERSION, BenchResult
from gdq_core.errors import RequestError
from gdq_core.files.recognition import read_json

_LARGEST = 256 << 20
"""Bytes; a real result has less than a million."""


def read_result(path: Path) -> BenchResult:
    """Read a result of gdq-bench.

    Raises:
        RequestError: there is no such file, or it is something else.

    """
    if not path.is_file():
        raise RequestError(f"{path} is not a file: name a result of gdq-bench --json")
    return parse_result(read_json(path, _LARGEST), path)


def parse_result(content: object, path: Path) -> BenchResult:
    """Check a result's content; version 1 is one without what version 2 added.

    Raises:
        RequestError: it is no result, or one of a later version.

    """
    version = content.get("schema_version") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(version, int) or "tiles" not in content:
        raise RequestError(f"{path} is not a result of gdq-bench --json")
    if version > SCHEMA_VERSION:
        raise RequestError(
            f"{path} has schema version {version}, and this gdq-bench reads up to "
            f"{SCHEMA_VERSION}: install a newer one"
        )
    try:
        return BenchResult.model_validate({**content, "schema_version": SCHEMA_VERSION})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise RequestError(f"{path} is damaged at {place}: {first['msg']}") from error
