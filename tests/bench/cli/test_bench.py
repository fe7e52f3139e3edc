from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import pytest
from click.testing import CliRunner, Result

from gdq_bench.cli.bench import main
from gdq_bench.protocol import BenchResult
from runtime.engine_library import need_library
from runtime.miscompiled import miscompile
from runtime.tiny_bundle import read_manifest, seal, write_tiny_bundle

HEAVY = ["numpy", "cv2", "onnxruntime", "pydantic", "openvino", "onnx", "jinja2"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exported: Path, photos: Path) -> Path:
    """A folder with a bundle and pictures."""
    monkeypatch.chdir(tmp_path)
    Path("bundle").symlink_to(exported)
    Path("photos").symlink_to(photos)
    return tmp_path


@pytest.fixture
def no_phones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An adb that works and sees none, whatever is plugged into this computer."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "adb").write_text("#!/bin/sh\necho List of devices attached\n")
    (folder / "adb").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


def run(*arguments: str) -> Result:
    command = ["--host", "--data", "photos", "--repeats", "1", *arguments]
    return CliRunner().invoke(main, command, catch_exceptions=False)


def names() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


def test_table_json_and_page(here: Path) -> None:
    result = run("bundle", "--json", "result.json", "--html", "page.html")
    assert result.exit_code == 0, result.output
    assert "one tile on one processor, medians of 8 rounds in turn" in result.stdout
    stored = BenchResult.model_validate(json.loads(Path("result.json").read_text()))
    assert {"onnxruntime", "litert"} <= {engine.name for engine in stored.engines}
    assert "<svg" in Path("page.html").read_text(encoding="utf-8")
    assert names() == ["bundle", "page.html", "photos", "result.json"]


def test_wrong_outputs_are_not_timed(here: Path, exported: Path) -> None:
    shutil.copytree(exported, "damaged")
    damage_golden_outputs(Path("damaged"))
    result = run(
        "damaged", "--engines", "onnxruntime,litert", "--json", "a.json", "--html", "b.html"
    )
    assert result.exit_code == 1
    assert "warning: onnxruntime was not timed, because it does not compute what" in result.stdout
    assert result.stderr.splitlines()[-1] == (
        "error: wrong outputs, not timed: onnxruntime, litert"
    )
    stored = BenchResult.model_validate(json.loads(Path("a.json").read_text()))
    assert (stored.tiles, stored.pictures) == ([], [])
    assert stored.wrong == ["onnxruntime", "litert"]
    assert "was not timed" in Path("b.html").read_text(encoding="utf-8")


def damage_golden_outputs(folder: Path) -> None:
    """Make the promised pictures darker."""
    for golden in read_manifest(folder)["golden"]:
        for name in golden["outputs"]["onnx"].values():
            picture = cv2.imread(str(folder / name))
            assert picture is not None
            cv2.imwrite(str(folder / name), picture // 2)
    seal(folder)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["photos"], "is not a bundle"),
        (["absent"], "error: "),
        (["bundle", "--engines", "none"], "unknown engine 'none'; choose one of onnxruntime"),
        (["bundle", "--data", "absent"], "absent is not a folder of pictures"),
        (["bundle", "--data", "empty"], "has neither photos nor the subfolders HR_x2 and LR_x2"),
        (["bundle", "--json", "absent/a.json"], "there is no folder"),
        (["bundle", "--json", "taken.json"], "exists; --overwrite"),
        (["bundle", "--html", "photos", "--overwrite"], "photos is an input"),
        (["bundle", "--json", "photos/a.json"], "lies in photos, an input"),
        (["bundle", "--html", "bundle/report.html", "--overwrite"], "lies in bundle, an input"),
        (["bundle", "--html", "a", "--json", "./a"], "written twice"),
        (["bundle", "--html", "taken.json", "--overwrite"], "is not a page of ours and is kept"),
        (["only_onnx", "--engines", "litert"], "holds no golden tiles"),
    ],
)
def test_refusals_are_one_sentence(here: Path, arguments: list[str], sentence: str) -> None:
    Path("empty").mkdir()
    Path("taken.json").write_text("old")
    write_tiny_bundle(Path("only_onnx"))
    before = names()
    result = run(*arguments)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert sentence in line
    assert names() == before
    assert Path("taken.json").read_text() == "old"


def test_an_engine_that_is_not_installed_is_named_with_its_package(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.delitem(sys.modules, "gdq_bench.measure.engines.openvino", raising=False)
    result = run("bundle", "--engines", "openvino")
    assert result.exit_code == 2
    assert result.stderr.endswith("pip install openvino\n")


def test_a_page_needs_jinja(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    result = run("bundle", "--html", "page.html")
    assert result.exit_code == 2
    assert result.stderr == (
        "error: --html needs jinja2: pip install 'granular-dq-mobile[bench]'\n"
    )


def test_this_computer_is_the_default(here: Path) -> None:
    arguments = ["bundle", "--data", "photos", "--engines", "litert", "--repeats", "1"]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "valid" in result.stdout.splitlines()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--host", "--device", "all"], "--host and --device name two targets: choose one"),
        (["--sustained", "10m"], "--accelerator and --program are for phones: name one (--device)"),
        (["--accelerator", "nnapi"], "--accelerator and --program are for phones"),
        (["--device", "--accelerator", "nnapi"], "--accelerator nnapi is for peers: our engine"),
        (["--device", "all", "--sustained", "ten"], "'ten' is not a time between 1s and 24h"),
        (["--device", "all", "--cores", "big"], "sees no device: plug one in"),
        (["--device", "--peer", "tflite=a.so"], "--peer needs a gdq_run that loads libraries"),
        (
            ["--device", "--peer", "tflite=a.so", "--program", "a.so", "--accelerator", "nnapi"],
            "--accelerator nnapi: TensorFlow Lite is measured on the CPU only: leave out",
        ),
    ],
)
def test_options_of_phones(
    here: Path, no_phones: None, arguments: list[str], sentence: str
) -> None:
    Path("a.so").write_bytes(b"\x7fELF\x02" + bytes(13) + b"\xb7\0")
    result = CliRunner().invoke(main, ["bundle", *arguments], catch_exceptions=False)
    assert result.exit_code == 2
    assert sentence in result.stderr.splitlines()[-1]


def test_phones_need_the_format_of_our_engine(here: Path, no_phones: None) -> None:
    write_tiny_bundle(Path("only_onnx"))
    result = CliRunner().invoke(main, ["only_onnx", "--device"], catch_exceptions=False)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert "only_onnx has no graphs for engine 'gdq', which reads engine: it was exported" in line


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("printf '\\377\\0[garbage'", "the cable to X was cut, or the phone went away"),
        ("printf '\\377\\0\\ngdq-ended 0\\n'", "X does not answer as Android does"),
        ("exit 7", "the cable to X was cut, or the phone went away"),
        ("echo 'error: device unauthorized.' >&2; exit 1", "X does not trust this computer"),
    ],
)
def test_a_phone_that_answers_garbage(
    here: Path, no_phones: None, answer: str, sentence: str
) -> None:
    """In place of a broken phone, an adb that says what it would."""
    Path("bin/adb").write_text(
        f'#!/bin/sh\ncase "$1" in devices) printf "X\\tdevice\\n";; *) {answer};; esac\n'
    )
    Path("gdq_run").write_bytes(b"\x7fELF\x02" + bytes(13) + b"\xb7\0")
    arguments = ["bundle", "--data", "photos", "--device", "X", "--program", "gdq_run"]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 2
    *_, line = result.stderr.splitlines()
    assert line.startswith(f"error: {sentence}")


def test_without_adb(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "adbutils", None)
    result = CliRunner().invoke(main, ["bundle", "--device"], catch_exceptions=False)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: adb is not installed: pip install 'granular-dq-mobile[device]'")


def test_an_interruption_leaves_nothing(here: Path, tmp_path: Path) -> None:
    environment = os.environ | {"TMPDIR": str(tmp_path / "temporary")}
    (tmp_path / "temporary").mkdir()
    command = ["--host", "bundle", "--data", "photos", "--repeats", "1000", "--json", "result.json"]
    program = f"from gdq_bench.cli.bench import main; main({command})"
    running = subprocess.Popen(
        [sys.executable, "-c", program], env=environment, stderr=subprocess.PIPE, text=True,
        # A background shell ignores SIGINT, and its children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not list((tmp_path / "temporary").glob("gdq-bench.*/float.onnx")):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    time.sleep(1)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert said.splitlines()[-1] == "interrupted"
    assert names() == ["bundle", "photos", "temporary"]
    # Libraries keep files of their own there.
    assert list(Path("temporary").glob("gdq-bench.*")) == []


def test_help_imports_nothing_heavy() -> None:
    program = f"""
import sys
from gdq_bench.cli.bench import main
try:
    main(["--help"])
except SystemExit:
    print([name for name in {HEAVY} if name in sys.modules])
"""
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert finished.stdout.splitlines()[-1] == "[]", finished.stdout + finished.stderr


def test_a_miscompiled_kernel_is_not_timed(here: Path, exported: Path) -> None:
    """Of our own engine, whose pictures once were not looked at."""
    need_library()
    miscompile(exported, here / "bad")
    result = run("bad", "--engines", "litert,gdq")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == "error: wrong outputs, not timed: gdq"
    assert run("bundle", "--engines", "gdq").exit_code == 0
