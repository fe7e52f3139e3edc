"""Costs that were measured once, kept in the user's cache folder: a small JSON for each device.

``kept_costs.schema.json`` beside this file is its schema, generated and committed. A file that is
damaged, old, of another version or of another device counts as none: the costs are measured anew.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from gdq_core.errors import OutputError
from gdq_core.files.caches import cache_folder
from gdq_core.files.text import save_text
from gdq_core.processor import processor_name
from gdq_runtime.bundle.manifest import Sha256
from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines.base import Engine
from gdq_runtime.engines.costs import Costs
from gdq_runtime.engines.native_library import LIBRARY
from gdq_runtime.engines.registry import ENGINES

SCHEMA_VERSION: Final = 2
LASTS: Final = timedelta(days=7)
"""For so long costs are used: a device that was busy when they were measured, or throttled, or has
been updated since, is not judged by that for good."""
_SIZE_LIMIT = 1 << 16
"""Bytes; a real file has less than a thousand."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


Seconds = Annotated[float, Field(gt=0, description="of processor time")]


class Origin(_Model):
    """All that a tile's time depends on; costs are used where all of it is the same."""

    processor: str
    engine: str
    engine_version: Annotated[str, Field(description="of its package; of ours also the library's")]
    accelerator: Annotated[str, Field(description="what it really runs on: the instruction set")]
    bundle: Annotated[Sha256, Field(description="of the manifest, which lists all files' hashes")]
    tile: Annotated[int, Field(gt=0, description="side in low-resolution pixels")]


class KeptCosts(_Model):
    """Costs and what they hold for."""

    schema_version: Literal[2] = SCHEMA_VERSION
    measured_at: Annotated[AwareDatetime, Field(description="when; they last for a week")]
    origin: Origin
    predict: Seconds
    seconds: Annotated[
        dict[int, Seconds],
        Field(
            min_length=2,
            description="bit-width -> a tile; 0 is interpolation, 64 more are the small network's",
        ),
    ]


def describe_origin(engine: Engine, bundle: Bundle) -> Origin:
    """Tell what the times of an engine's tiles depend on.

    Raises:
        EngineError: the engine cannot be asked what it runs on.

    """
    return Origin(
        processor=processor_name(),
        engine=engine.name,
        engine_version=_engine_version(engine.name),
        accelerator=engine.accelerator_used,
        bundle=hashlib.sha256(bundle.manifest.model_dump_json().encode()).hexdigest(),
        tile=bundle.manifest.tiling.size,
    )


def load_costs(origin: Origin, bundle: Bundle) -> Costs | None:
    """Return what is kept for an origin; None if nothing is, or nothing usable, or it is old."""
    try:
        path = costs_file(origin)
        if not path.is_file() or path.stat().st_size > _SIZE_LIMIT:
            return None
        kept = KeptCosts.model_validate_json(path.read_bytes())
    except (OSError, RuntimeError, ValueError):
        return None
    if kept.origin != origin or not kept.seconds.keys() >= {0, *bundle.routes}:
        return None
    age = datetime.now(timezone.utc) - kept.measured_at
    if not timedelta(0) <= age < LASTS:  # a time to come is none at which anything was measured
        return None
    return Costs(kept.seconds, kept.predict)


def can_keep_costs() -> bool:
    """Tell whether the cache folder is there, or can be made, and takes files."""
    try:
        folder = costs_folder()
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError, ValueError):
        return False
    return os.access(folder, os.W_OK | os.X_OK)


def keep_costs(origin: Origin, costs: Costs) -> bool:
    """Keep costs for the next time; tell whether that could be done."""
    kept = KeptCosts(
        measured_at=datetime.now(timezone.utc),
        origin=origin,
        predict=costs.predict,
        seconds=dict(costs.seconds),
    )
    with suppress(OSError, RuntimeError, ValueError, OutputError):
        costs_folder().mkdir(parents=True, exist_ok=True)
        save_text(costs_file(origin), kept.model_dump_json(indent=1) + "\n")
        return True
    return False


def costs_file(origin: Origin) -> Path:
    """Return the place of an origin's costs.

    Raises:
        RuntimeError: the system knows no home folder of this user.

    """
    name = hashlib.sha256(origin.model_dump_json().encode()).hexdigest()[:32]
    return costs_folder() / f"{name}.json"


def costs_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder, by the customs of the system.

    Raises:
        RuntimeError: the system knows no home folder of this user.

    """
    return cache_folder(environment) / "costs"


def create_schema() -> str:
    """Create the text of the schema from the pydantic models."""
    schema = KeptCosts.model_json_schema()
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return json.dumps(schema, indent=2) + "\n"


def _engine_version(name: str) -> str:
    package = ENGINES[name].package if name in ENGINES else name
    try:
        number = version(package)
    except PackageNotFoundError:
        number = "unknown"
    if name != "gdq":
        return number
    # Built from sources, whose version does not rise with every change.
    return f"{number}, {hashlib.sha256(LIBRARY.read_bytes()).hexdigest()[:16]}"


SCHEMA_PATH: Final = Path(__file__).with_name("kept_costs.schema.json")

if __name__ == "__main__":
    SCHEMA_PATH.write_text(create_schema(), encoding="utf-8")
