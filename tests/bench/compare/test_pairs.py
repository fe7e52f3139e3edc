from __future__ import annotations

import pytest

from bench.made_up import phone_result, result, tile
from gdq_bench.compare.pairs import Row, compare_results
from gdq_bench.compare.text import render_text
from gdq_bench.protocol import BenchResult, Reason
from gdq_core.errors import RequestError


def compare(first: BenchResult, second: BenchResult, **allow: bool) -> object:
    allowed = {"allow_different": False, "allow_invalid": False, **allow}
    return compare_results(first, second, **allowed)


def test_rows_are_paired_by_cluster_engine_and_width() -> None:
    first = phone_result(tiles=[tile(4, cluster="big"), tile(8, cluster="big", cpu=0.02)])
    second = phone_result(tiles=[tile(8, cluster="big", cpu=0.03), tile(8, cluster="little")])
    found = compare_results(first, second, allow_different=False, allow_invalid=False)
    row = Row("big", "tile", "onnxruntime", "8 bits")
    ratio = found.ratios[row]
    assert ratio is not None
    assert ratio.value == pytest.approx(1.5)
    assert ratio.outcome == "slower"
    assert [(one.cluster, one.bits) for one in found.alone] == [
        ("big", "4 bits"),
        ("little", "8 bits"),
    ]
    assert found.slower_than(1.05) == [row]
    assert found.slower_than(1.6) == []
    text = render_text(found)
    assert "1.500" in text
    assert "only in one: tile on big, onnxruntime, 4 bits" in text


def test_other_tiles_and_devices_are_refused_unless_allowed() -> None:
    first, second = phone_result(), phone_result(model="Pixel 9", inputs="f" * 64)
    with pytest.raises(RequestError, match="the device is Pixel 7 in the first and Pixel 9 in the"):
        compare(first, second)
    with pytest.raises(RequestError, match="the tiles and pictures is eeee"):
        compare(first, second)
    assert compare(first, second, allow_different=True)


def test_invalid_results_are_refused_unless_allowed() -> None:
    bad = phone_result(reasons=[Reason(kind="throttled", sentence="it was hot")])
    with pytest.raises(RequestError, match=r"the second is not valid: it was hot \(--allow-inv"):
        compare(phone_result(), bad)
    assert compare(phone_result(), bad, allow_invalid=True)


def test_nothing_in_common_is_refused() -> None:
    first = phone_result(tiles=[tile(4, cluster="big")], pictures=[])
    second = phone_result(tiles=[tile(4, cluster="little")], pictures=[])
    with pytest.raises(RequestError, match="no row in common"):
        compare(first, second)


def test_results_without_rounds_tell_nothing() -> None:
    old = result(tiles=[tile(4).model_copy(update={"rounds": []})], pictures=[])
    found = compare_results(old, old, allow_different=False, allow_invalid=False)
    assert list(found.ratios.values()) == [None]
    assert "cannot tell" in render_text(found)
    assert "kept no rounds" in render_text(found)
