from __future__ import annotations

from pathlib import Path

import pytest

from gdq_bench.measure.clock import Times
from gdq_bench.protocol import Result
from gdq_bench.suite.report import BEGIN, END, terminal_line, write_document
from gdq_bench.suite.results import facts_of, load, store
from gdq_core.errors import RequestError

FAST = Result(name="start", value=0.25, unit="s", bar=0.3, facts={"rounds": 5})
SLOW = Result(name="speedup", value=1.7, unit="ratio", bar=1.8, at_least=True)


@pytest.mark.parametrize(
    ("value", "at_least", "reached"), [(1, False, True), (1.1, False, False), (1.1, True, True)]
)
def test_a_bar_is_an_upper_or_a_lower_bound(value: float, at_least: bool, reached: bool) -> None:
    assert Result(name="x", value=value, unit="s", bar=1, at_least=at_least).is_reached == reached


def test_a_line_says_number_bar_and_verdict() -> None:
    assert terminal_line(FAST).split() == [
        "start",
        "0.25",
        "s",
        "at",
        "most",
        "0.3",
        "s",
        "reached",
    ]
    assert terminal_line(SLOW).split() == ["speedup", "1.7x", "at", "least", "1.8x", "MISSED"]


def test_storing_one_benchmark_keeps_the_others(tmp_path: Path) -> None:
    path = tmp_path / "new" / "results.json"
    store(path, "first", [FAST])
    store(path, "second", [SLOW])
    store(path, "first", [SLOW])
    content = load(path)
    assert list(content) == ["first", "second"]
    assert content["first"].results == [SLOW]
    assert content["first"].machine.processors >= 1


def test_a_page_is_rewritten_between_its_marks_only(tmp_path: Path) -> None:
    page, stored = tmp_path / "page.md", tmp_path / "results.json"
    page.write_text(f"before\n\n{BEGIN}\nold\n{END}\n\nafter\n")
    store(stored, "first", [FAST, SLOW])
    for _ in range(2):
        write_document(page, ["first", "second"], load(stored), facts=True)
    text = page.read_text()
    assert text.startswith(f"before\n\n{BEGIN}\n\n| number")
    assert text.endswith(f"{END}\n\nafter\n")
    assert "old" not in text
    assert '| start | 0.25 s | at most 0.3 s | reached | `make bench BENCH_ARGS="first"` |' in text
    assert "| speedup | 1.7x | at least 1.8x | **missed** |" in text
    assert "| second | not measured yet |" in text
    assert text.count("- start: rounds 5") == 1


def test_facts_are_left_out_where_they_are_not_wanted(tmp_path: Path) -> None:
    page, stored = tmp_path / "page.md", tmp_path / "results.json"
    page.write_text(f"{BEGIN}{END}")
    store(stored, "first", [FAST])
    write_document(page, ["first"], load(stored), facts=False)
    assert "rounds" not in page.read_text()


def test_results_of_another_version_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text('{"first": {"machine": {}, "results": []}}')
    with pytest.raises(RequestError, match="holds results of another version: remove it"):
        load(path)


def test_facts_are_medians_and_extremes() -> None:
    assert facts_of("tile", Times(wall=[2, 30, 8], cpu=[2, 3, 1])) == {
        "tile: wall, s": 8,
        "tile: wall from to, s": "2.0000 to 30.0000",
        "tile: cpu, s": 2,
    }
