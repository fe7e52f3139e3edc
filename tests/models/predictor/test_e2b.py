from __future__ import annotations

import contextlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gdq_models import CheckpointError, EntropyTable, load_entropy_table, save_entropy_table
from gdq_models.predictor.e2b import EntropyToBit

RISING = np.linspace(1.18, 3.4, 199)


def rule(*quantiles: float) -> EntropyToBit:
    module = EntropyToBit()
    module.set_table(EntropyTable(RISING))
    if quantiles:
        module.quantiles.copy_(torch.tensor(quantiles, dtype=torch.float64))
    return module


@given(st.lists(st.floats(0, 3.5), min_size=1, max_size=500))
def test_table_holds_sorted_entropies_at_floor_of_m_i_over_200(entropies: list[float]) -> None:
    table = EntropyTable.build(entropies, tile=96, scale=2)
    ordered, count = sorted(entropies), len(entropies)
    expected = [ordered[count * i // 200] for i in range(1, 200)]
    assert table.entropies.tolist() == expected
    assert (table.count, table.tile, table.scale) == (count, 96, 2)


def test_table_entries_are_met_exactly_and_interpolated_between() -> None:
    table = EntropyTable(RISING)
    assert table.at(0.6) == RISING[119]
    assert table.at(0.6025) == pytest.approx((RISING[119] + RISING[120]) / 2)
    assert table.at(0.001) == RISING[0]


@pytest.mark.parametrize("quantile", [0.0, 1.0, -0.1, 1.5, float("nan")])
def test_a_quantile_outside_of_the_open_interval_is_refused(quantile: float) -> None:
    with pytest.raises(ValueError, match=r"inside \(0, 1\)"):
        EntropyTable(RISING).at(quantile)
    with pytest.raises(ValueError, match=r"inside \(0, 1\)"):
        rule(0.5, quantile).thresholds()


def test_bit_width_is_four_five_eight_and_thresholds_belong_below() -> None:
    """E <= H_t1 -> 4, H_t1 < E <= H_t2 -> 5, else 8."""
    module = rule(0.5, 0.9)
    low, high = module.thresholds()
    assert (low, high) == (RISING[99], RISING[179])
    above = [np.nextafter(value, 9) for value in (low, high)]
    entropy = torch.tensor([0.0, low, above[0], high, above[1], 3.466], dtype=torch.float64)
    assert module(entropy).tolist() == [4, 4, 5, 5, 8, 8]


def test_without_a_table_there_are_no_thresholds() -> None:
    with pytest.raises(ValueError, match="no entropy table"):
        EntropyToBit().thresholds()


def test_decreasing_quantiles_are_refused() -> None:
    with pytest.raises(ValueError, match="must not decrease"):
        rule(0.9, 0.5).thresholds()


@pytest.mark.parametrize(
    "values", [RISING[::-1].copy(), np.full(199, np.nan), RISING[:10], RISING - 5]
)
def test_a_senseless_table_is_refused(values: np.ndarray) -> None:
    with pytest.raises(ValueError, match="entropies"):
        EntropyTable(values)


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one tile"):
        EntropyTable.build([], tile=96, scale=2)


def test_our_file_comes_back_whole(tmp_path: Path) -> None:
    table = EntropyTable.build(RISING.tolist(), tile=48, scale=3)
    save_entropy_table(table, tmp_path / "table.json")
    loaded = load_entropy_table(tmp_path / "table.json")
    np.testing.assert_array_equal(loaded.entropies, table.entropies)
    assert (loaded.count, loaded.tile, loaded.scale) == (199, 48, 3)


def test_the_released_file_is_read(tmp_path: Path) -> None:
    flat = {f"{(i + 1) / 2:.1f}": float(value) for i, value in enumerate(RISING)}
    assert next(iter(flat)) == "0.5"
    assert list(flat)[-1] == "99.5"
    (tmp_path / "E2B.json").write_text(json.dumps(flat))
    np.testing.assert_array_equal(load_entropy_table(tmp_path / "E2B.json").entropies, RISING)


def test_a_missing_entry_is_named(tmp_path: Path) -> None:
    flat = {f"{(i + 1) / 2:.1f}": 1.0 for i in range(199) if i != 80}
    (tmp_path / "E2B.json").write_text(json.dumps(flat))
    with pytest.raises(CheckpointError, match=r"'40\.5' is missing"):
        load_entropy_table(tmp_path / "E2B.json")


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
hostile = (
    st.binary(max_size=200)
    | json_values.map(lambda value: json.dumps(value).encode())
    | st.fixed_dictionaries(
        {
            "format": st.just("gdq-entropy-table"),
            "count": json_values,
            "tile": json_values,
            "scale": json_values,
            "entropies": json_values | st.just(RISING.tolist()),
        }
    ).map(lambda value: json.dumps(value).encode())
)


@given(content=hostile)
def test_hostile_files_raise_nothing_but_our_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "hostile_table.json"
    path.write_bytes(content)
    with contextlib.suppress(CheckpointError):
        load_entropy_table(path)


@pytest.mark.parametrize("content", ["[" * 100_000, '{"0.5": 1e999}', "1" * 5000])
def test_hostile_numbers_and_nesting_get_a_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "t.json").write_text(content)
    with pytest.raises(CheckpointError, match="not an entropy table"):
        load_entropy_table(tmp_path / "t.json")


def test_a_missing_file_and_a_folder_get_a_sentence(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.json", tmp_path):
        with pytest.raises(CheckpointError, match="cannot be read"):
            load_entropy_table(path)
