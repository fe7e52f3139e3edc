from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from core.made_pictures import png_bytes, random_image
from factories import tiny_edsr
from gdq_exporter import ExportResult
from gdq_models import save_checkpoint
from gdq_validate.cli.validate import main
from runtime.engine_library import need_library
from runtime.miscompiled import miscompile
from runtime.tiny_bundle import add_dial, write_tiny_bundle


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_tiny_bundle(tmp_path / "bundle")
    (tmp_path / "photos").mkdir()
    for name, seed in (("a", 1), ("b", 2)):
        Path("photos", f"{name}.png").write_bytes(png_bytes(random_image(60, 80, seed=seed)))
    return tmp_path


def run(*arguments: str) -> Result:
    command = ["bundle", "--data", "photos", "--threads", "1", *arguments]
    return CliRunner().invoke(main, command, catch_exceptions=False)


def test_numbers_on_stdout_and_in_a_file(here: Path) -> None:
    result = run("--bits", "6", "--json", "result.json")
    assert result.exit_code == 0, result.output
    assert "mean" in result.stdout
    report = json.loads(Path("result.json").read_text())
    assert {"psnr_y", "ssim_y", "fab", "bitops", "seam_ratio", "images"} <= set(report)
    assert [image["name"] for image in report["images"]] == ["a", "b"]
    assert report["fab"] == 6
    assert sorted(path.name for path in here.iterdir()) == ["bundle", "photos", "result.json"]


def test_all_missed_bars_are_named(here: Path) -> None:
    result = run("--bits", "6", "--min-psnr", "99", "--max-fab", "5", "--max-loss", "-50")
    assert result.exit_code == 1
    note, *missed = result.stderr.splitlines()
    assert note.startswith("note: engine 'onnxruntime' is used: ")
    assert [line.split()[1] for line in missed] == ["PSNR", "FAB", missed[2].split()[1]]
    assert len(missed) == 3
    assert run("--bits", "6", "--min-psnr", "1", "--max-fab", "6").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--fab", "5"], "no bit budget dial"),
        (["--bits", "8", "--fab", "5"], "give only one of"),
        (["--json", "absent/a.json"], "there is no folder"),
        (["--json", "photos"], "photos is an input"),
        (["--json", "photos/a.json"], "lies in photos, an input"),
        (["--html", "bundle/report.html", "--overwrite"], "lies in bundle, an input"),
        (["--html", "a", "--json", "./a"], "written twice"),
        (["--json", "dear.txt", "--overwrite"], "is not a result of ours and is kept"),
        (["--checkpoint", "bundle/manifest.json"], "error: "),
        (["--against-chance", "--bits", "4"], "leave --bits, --fab-cap and --policy out"),
        (["--against-chance", "--fab", "5"], "no bit budget dial"),
    ],
)
def test_refusals_are_one_sentence(here: Path, arguments: list[str], sentence: str) -> None:
    Path("dear.txt").write_text("dear")
    result = run(*arguments)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert sentence in line


def test_a_well_known_set_is_shown_beside_what_is_published(here: Path) -> None:
    assert "published" not in run("--bits", "8").stdout
    Path("photos").rename("Set14")
    result = run("--data", "Set14", "--json", "result.json", "--html", "page.html")
    assert result.exit_code == 0, result.output
    assert "Kim et al. 2016" in result.stdout
    assert json.loads(Path("result.json").read_text())["published"][0]["psnr_y"] == 30.24
    assert "What is published of Set14" in Path("page.html").read_text(encoding="utf-8")


def test_the_dial_stands_beside_chance(here: Path) -> None:
    add_dial(Path("bundle"))
    result = run("--against-chance", "--json", "result.json")
    assert result.exit_code == 0, result.output
    report = json.loads(Path("result.json").read_text())["against_chance"]
    assert [fixed["route"] for fixed in report["fixed"]] == [4, 5, 6, 8]
    assert [point["dial"] for point in report["by_bits"]] == [
        "--fab 4.2", "--fab 4.6", "--fab 5", "--fab 6",
    ]  # fmt: skip
    for point in report["by_bits"]:
        assert point["oracle_db"] <= point["chance_db"] + 1e-9
        assert f"{point['dial']} " in result.stdout
    (only,) = json.loads(_at_fab("6"))["against_chance"]["by_bits"]
    assert only == report["by_bits"][3]


def _at_fab(fab: str) -> str:
    assert run("--against-chance", "--fab", fab, "--json", "one.json").exit_code == 0
    return Path("one.json").read_text()


def test_another_checkpoint_than_that_of_the_bundle_is_said(here: Path) -> None:
    save_checkpoint(tiny_edsr(), Path("other.safetensors"))
    result = run("--bits", "8", "--checkpoint", "other.safetensors")
    assert result.exit_code == 0, result.output
    note = "note: bundle was exported from a file other than other.safetensors"
    assert note in result.stderr.splitlines()


def test_engines_are_compared_without_pictures(here: Path, exported: ExportResult) -> None:
    command = [str(exported.bundle), "--engines", "onnxruntime,numpy", "--json", "engines.json"]
    result = CliRunner().invoke(main, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    engines = json.loads(Path("engines.json").read_text())["engines"]
    assert [one["engine"] for one in engines] == ["onnxruntime", "numpy"]
    assert all(one["holds"] for one in engines)
    assert "golden tiles" in result.stdout


def test_engines_need_golden_tiles(here: Path) -> None:
    result = CliRunner().invoke(main, ["bundle", "--engines", "all"])
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == "error: bundle holds no golden tiles to compare with"


@pytest.mark.parametrize("options", [[], ["--engines", "numpy", "--min-psnr", "30"]])
def test_what_needs_pictures_says_so(here: Path, options: list[str]) -> None:
    result = CliRunner().invoke(main, ["bundle", *options])
    assert result.exit_code == 2
    assert "--data DIR" in result.stderr


def test_torch_is_not_needed_without_a_checkpoint(here: Path) -> None:
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['torch', 'onnx', 'onnx_ir'])); "
        "from gdq_validate.cli.validate import main; "
        "main(['bundle', '--data', 'photos', '--threads', '1'])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=here, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_page_is_one_file_with_every_picture(here: Path) -> None:
    add_dial(here / "bundle")
    result = run("--fab", "8", "--html", "page.html")
    assert result.exit_code == 0, result.output
    page = Path("page.html").read_text(encoding="utf-8")
    for name in ("a", "b"):
        assert f'alt="bit-width of each tile of {name}"' in page
        assert f'alt="error map of {name}"' in page
    assert page.count("<polyline") == 8
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    # Two maps and four details of each: bicubic, routed, all 8 bit, ground truth.
    assert len(sources) == 2 * 6
    assert all(source.startswith("data:image/") for source in sources)


def test_a_miscompiled_kernel_fails(exported: ExportResult, tmp_path: Path) -> None:
    """Of our own engine, whose pictures once were not looked at; 16 channels, one of them wrong."""
    need_library()
    good = CliRunner().invoke(main, [str(exported.bundle), "--engines", "gdq"])
    assert good.exit_code == 0, good.output
    bad = miscompile(exported.bundle, tmp_path / "bundle")
    result = CliRunner().invoke(main, [str(bad), "--engines", "gdq"])
    assert result.exit_code == 1
    assert "BROKEN" in result.stdout
    assert re.search(
        r"^missed: gdq against golden tiles: .* differ by more than \d+ \(.* are allowed\)",
        result.stderr,
        re.MULTILINE,
    )
