from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import jsonschema
import pytest

from gdq_runtime.bundle.reader import Bundle
from gdq_runtime.engines import kept_costs
from gdq_runtime.engines.costs import Costs
from gdq_runtime.engines.kept_costs import (
    LASTS,
    SCHEMA_PATH,
    Origin,
    can_keep_costs,
    costs_file,
    create_schema,
    describe_origin,
    keep_costs,
    load_costs,
)
from runtime.engines.slow_engine import SlowEngine
from runtime.tiny_bundle import write_tiny_bundle

COSTS = Costs({0: 1e-4, 4: 0.5, 5: 0.625, 6: 0.75, 8: 1.0}, 0.001)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return Bundle.open(write_tiny_bundle(tmp_path / "bundle"))


@pytest.fixture
def origin(bundle: Bundle) -> Origin:
    return describe_origin(SlowEngine({}), bundle)


def test_what_is_kept_is_found_again(cache: Path, origin: Origin, bundle: Bundle) -> None:
    assert load_costs(origin, bundle) is None
    assert can_keep_costs()
    assert keep_costs(origin, COSTS)
    assert load_costs(origin, bundle) == COSTS
    (file,) = (cache / "granular-dq-mobile" / "costs").iterdir()
    assert file == costs_file(origin)
    jsonschema.validate(json.loads(file.read_text(encoding="utf-8")), json.loads(create_schema()))


@pytest.mark.parametrize("field", Origin.model_fields)
def test_is_not_used_where_anything_is_different(
    cache: Path, origin: Origin, bundle: Bundle, field: str
) -> None:
    keep_costs(origin, COSTS)
    other = origin.model_copy(update={field: 48 if field == "tile" else "f" * 64})
    assert load_costs(other, bundle) is None
    costs_file(origin).rename(costs_file(other))
    assert load_costs(other, bundle) is None


def test_origins_differ_by_bundle_and_instruction_set(bundle: Bundle, tmp_path: Path) -> None:
    other = Bundle.open(write_tiny_bundle(tmp_path / "other", bit_widths=(4, 8)))
    origins = {
        describe_origin(SlowEngine({}, used=used), one).model_dump_json()
        for used in ("CPU, fast", "CPU, slow")
        for one in (bundle, other)
    }
    assert len(origins) == 4


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-9],
        lambda _: "\0\xff",
        lambda text: text.replace('"schema_version": 2', '"schema_version": 1'),
        lambda text: text.replace("0.5", "-0.5"),
        lambda text: text.replace("0.5", "NaN"),
        lambda text: text.replace('"6": 0.75,', ""),
        lambda text: text + " " * 70_000,
    ],
    ids=["cut off", "binary", "version", "negative", "no number", "a width", "size"],
)
def test_damaged_files_count_as_none(
    cache: Path, origin: Origin, bundle: Bundle, damage: object
) -> None:
    keep_costs(origin, COSTS)
    file = costs_file(origin)
    assert callable(damage)
    file.write_text(damage(file.read_text(encoding="utf-8")), encoding="latin-1")
    assert load_costs(origin, bundle) is None
    assert keep_costs(origin, COSTS)
    assert load_costs(origin, bundle) == COSTS


@pytest.mark.parametrize(
    ("age", "is_found"),
    [
        (LASTS - timedelta(minutes=1), True),
        (LASTS, False),
        (timedelta(minutes=-1), False),  # of a clock that was wrong, or a file from elsewhere
    ],
)
def test_costs_last_for_a_while(
    cache: Path, origin: Origin, bundle: Bundle, age: timedelta, is_found: bool
) -> None:
    keep_costs(origin, COSTS)
    file = costs_file(origin)
    kept = json.loads(file.read_text(encoding="utf-8"))
    kept["measured_at"] = (datetime.now(timezone.utc) - age).isoformat()
    file.write_text(json.dumps(kept), encoding="utf-8")
    assert load_costs(origin, bundle) == (COSTS if is_found else None)


def test_a_place_that_takes_no_files_is_no_error(origin: Origin, bundle: Bundle) -> None:
    assert not can_keep_costs()
    assert not keep_costs(origin, COSTS)
    assert load_costs(origin, bundle) is None


def test_a_user_without_home_is_no_error(
    origin: Origin, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere() -> Path:
        raise RuntimeError("no home")

    monkeypatch.setattr(kept_costs, "costs_folder", nowhere)
    assert not can_keep_costs()
    assert not keep_costs(origin, COSTS)
    assert load_costs(origin, bundle) is None


def test_the_committed_schema_is_in_step() -> None:
    assert SCHEMA_PATH.read_text(encoding="utf-8") == create_schema(), (
        "run python -m gdq_runtime.engines.kept_costs"
    )
