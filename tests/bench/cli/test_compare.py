from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bench.made_up import phone_result, tile
from gdq_bench.cli.bench import main
from gdq_bench.protocol import BenchResult, Reason


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write("a.json", phone_result(tiles=[tile(4, cluster="big", engine="gdq")]))
    write("b.json", phone_result(tiles=[tile(4, cluster="big", engine="gdq", cpu=0.022)]))
    hot = Reason(kind="throttled", sentence="it was hot")
    write("hot.json", phone_result(reasons=[hot]))
    Path("text.json").write_text("no JSON")
    return tmp_path


def write(name: str, result: BenchResult) -> None:
    Path(name).write_text(result.model_dump_json())


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["compare", *arguments], catch_exceptions=False)


def test_table_and_page(here: Path) -> None:
    result = run("a.json", "b.json", "--html", "page.html")
    assert result.exit_code == 0, result.output
    row = next(line for line in result.stdout.splitlines() if line.startswith("big      tile"))
    assert row.split() == ["big", "tile", "gdq", "4", "bits", "1.100", "1.100..1.100", "slower"]
    page = Path("page.html").read_text(encoding="utf-8")
    assert '<td class="slower">slower' in page
    assert run("a.json", "b.json", "--html", "page.html", "--overwrite").exit_code == 0


def test_a_bar_for_slowness(here: Path) -> None:
    result = run("a.json", "b.json", "--fail-if-slower", "5%")
    assert result.exit_code == 1
    assert result.stderr == "error: slower by more than 5 %: tile on big, gdq, 4 bits\n"
    assert run("a.json", "b.json", "--fail-if-slower", "15%").exit_code == 0
    assert run("b.json", "a.json", "--fail-if-slower", "0").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["a.json", "absent.json"], "absent.json is not a file: name a result of gdq-bench"),
        (["a.json", "text.json"], "text.json is not a result of gdq-bench --json"),
        (["a.json", "a.json"], "are one file: name two results"),
        (["a.json", "hot.json"], "the second is not valid: it was hot (--allow-invalid)"),
        (["a.json", "b.json", "--html", "a.json", "--overwrite"], "a.json is an input"),
        (["a.json", "b.json", "--fail-if-slower", "much"], "'much' is not a percentage"),
    ],
)
def test_refusals_are_one_sentence(here: Path, arguments: list[str], sentence: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert sentence in result.stderr.splitlines()[-1]
    assert not Path("page.html").exists()


def test_invalid_results_on_request(here: Path) -> None:
    result = run("a.json", "hot.json", "--allow-invalid")
    assert result.exit_code == 0
    assert "note: the second is not valid: it was hot" in result.stdout
