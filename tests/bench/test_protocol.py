from __future__ import annotations

import pytest
from pydantic import ValidationError

from bench.made_up import result
from gdq_bench.protocol import BenchResult, name_bits


def test_json_and_back() -> None:
    made = result()
    assert BenchResult.model_validate_json(made.model_dump_json()).settings == made.settings
    assert '"schema_version":2' in made.model_dump_json()


def test_unknown_keys_and_versions_are_refused() -> None:
    content = result().model_dump(mode="json")
    for change in ({"schema_version": 3}, {"more": 1}):
        with pytest.raises(ValidationError):
            BenchResult.model_validate(content | change)


@pytest.mark.parametrize(("bits", "name"), [(None, "routed"), (4, "4 bits"), (32, "float")])
def test_bits_have_names(bits: int | None, name: str) -> None:
    assert name_bits(bits) == name
